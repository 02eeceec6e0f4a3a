// Looks at every visible text of the page, shadow roots included. Returns how many texts there are and what is wrong with them:
// cut off without an ellipsis, covering another text, or with a contrast below 4.5.
() => {
  const LEAST_CONTRAST = 4.5;
  const problems = [];

  const parentOf = (node) => node.parentElement ?? (node.getRootNode() instanceof ShadowRoot ? node.getRootNode().host : null);
  function ancestors(element) {
    const found = [];
    for (let one = element; one; one = parentOf(one)) found.push(one);
    return found;
  }
  function* elements(root) {
    for (const element of root.querySelectorAll("*")) {
      yield element;
      if (element.shadowRoot) yield* elements(element.shadowRoot);
    }
  }

  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const parsed = new Map();
  function colorOf(text) {
    if (!parsed.has(text)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      parsed.set(text, [r, g, b, a / 255]);
    }
    return parsed.get(text);
  }
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  function luminance(color) {
    const [r, g, b] = color.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function contrast(a, b) {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  }

  const isClipping = (style) => /hidden|clip|auto|scroll/.test(style.overflowX + style.overflowY);
  const isScrolling = (style) => /auto|scroll/.test(style.overflowX + style.overflowY);
  const meet = (a, b) => ({ left: Math.max(a.left, b.left), top: Math.max(a.top, b.top), right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom) });
  const isEmpty = (box) => box.right - box.left <= 0.5 || box.bottom - box.top <= 0.5;
  const isForReadersOnly = (line) => line.some((one) => one.getBoundingClientRect().width <= 1.5 && getComputedStyle(one).overflowX === "hidden");

  // Cut the box by everything around it that clips; tell when something is lost that nobody can scroll to or see to be cut.
  function clip(box, line) {
    let shown = box;
    let isLost = false;
    let mayScroll = false;
    let hasEllipsis = false;
    for (const one of line) {
      const style = getComputedStyle(one);
      if (style.textOverflow === "ellipsis") hasEllipsis = true;
      if (isScrolling(style)) mayScroll = true;
      if (!isClipping(style) || one instanceof SVGElement) continue;
      const cut = meet(shown, one.getBoundingClientRect());
      const lost = Math.max(shown.right - cut.right, cut.left - shown.left);
      const lostBelow = Math.max(shown.bottom - cut.bottom, cut.top - shown.top);
      if (!mayScroll && ((lost > 1.5 && !hasEllipsis) || lostBelow > 2.5)) isLost = true;
      shown = cut;
      if (isEmpty(shown)) break;
    }
    const window_ = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    if (!mayScroll && !isEmpty(shown) && (shown.right > window_.right + 1 || shown.bottom > window_.bottom + 1 || shown.left < -1 || shown.top < -1)) isLost = true;
    return { shown: meet(shown, window_), isLost };
  }

  function stackAt(root, x, y) {
    return root.elementsFromPoint(x, y).flatMap((one) => {
      if (root instanceof ShadowRoot && !root.contains(one)) return [];
      return one.shadowRoot ? [...stackAt(one.shadowRoot, x, y), one] : [one];
    });
  }
  function isCovered(element, x, y) {
    const line = new Set(ancestors(element));
    for (const one of stackAt(document, x, y)) {
      if (line.has(one)) return false;
      if (!element.contains(one) && colorOf(getComputedStyle(one).backgroundColor)[3] > 0.9) return true;
    }
    return false;
  }

  // Colors behind an element: one, or over the map the two extremes of what the map may show.
  function groundsBehind(element) {
    const layers = [];
    for (const one of ancestors(element)) {
      const color = colorOf(getComputedStyle(one).backgroundColor);
      if (one.id === "map" || one.id === "stage") return [[0, 0, 0], [255, 255, 255]].map((ground) => layers.reduceRight((under, layer) => over(layer, under), ground));
      layers.push(color);
      if (color[3] >= 0.999) break;
    }
    return [layers.reduceRight((under, layer) => over(layer, under), [255, 255, 255])];
  }
  function inkAndGrounds(element, pseudo) {
    if (element instanceof SVGElement) {
      const shape = element.parentElement.querySelector("path");
      return { ink: colorOf(getComputedStyle(element).fill), grounds: [colorOf(getComputedStyle(shape).fill).slice(0, 3)] };
    }
    return { ink: colorOf(getComputedStyle(element, pseudo).color), grounds: groundsBehind(element) };
  }
  function leastContrast(element, line, pseudo) {
    const { ink, grounds } = inkAndGrounds(element, pseudo);
    const opacity = line.reduce((share, one) => share * Number(getComputedStyle(one).opacity), 1);
    return Math.min(...grounds.map((ground) => contrast(over([ink[0], ink[1], ink[2], ink[3] * opacity], ground), ground)));
  }

  const all = [...elements(document)];
  const modal = all.findLast((element) => element.matches("dialog:modal"));
  const seen = [];
  let texts = 0;

  function look(element, text, boxes, pseudo) {
    const line = ancestors(element);
    if (modal && !line.includes(modal)) return;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true }) || isForReadersOnly(line)) return;
    let isShown = false;
    for (const box of boxes) {
      const { shown, isLost } = clip(box, line);
      if (isEmpty(shown)) continue;
      if (isCovered(element, (shown.left + shown.right) / 2, (shown.top + shown.bottom) / 2)) continue;
      isShown = true;
      if (isLost) problems.push(`cut off: "${text}"`);
      seen.push({ element, text, shown });
    }
    if (!isShown) return;
    texts += 1;
    const least = leastContrast(element, line, pseudo);
    if (least < LEAST_CONTRAST) problems.push(`contrast ${least.toFixed(2)}: "${text}"`);
  }

  for (const element of all) {
    if (/^(SCRIPT|STYLE|NOSCRIPT|TITLE)$/.test(element.tagName)) continue;
    if (element.matches("input") && element.placeholder && !element.value) look(element, element.placeholder, [element.getBoundingClientRect()], "::placeholder");
    for (const node of element.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      look(element, node.data.trim(), [...range.getClientRects()]);
    }
  }

  for (let i = 0; i < seen.length; i += 1) {
    for (let j = i + 1; j < seen.length; j += 1) {
      const [a, b] = [seen[i], seen[j]];
      if (a.element === b.element) continue;
      const both = meet(a.shown, b.shown);
      if (both.right - both.left <= 2 || both.bottom - both.top <= 4) continue;
      const [x, y] = [(both.left + both.right) / 2, (both.top + both.bottom) / 2];
      if (!isCovered(a.element, x, y) && !isCovered(b.element, x, y)) problems.push(`overlap: "${a.text}" and "${b.text}"`);
    }
  }
  return { texts, problems };
}
