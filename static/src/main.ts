/** Puts the page together: feed to state, state to map and panels, clicks and keys back as commands. */

import "./page.css";
import "./panels/band";
import "./panels/command-bar";
import "./panels/frame";
import "./panels/keys";
import "./panels/layers";
import "./panels/lock";
import "./panels/side";
import "./panels/start";
import "./panels/top";
import { CommandBar } from "./panels/command-bar";
import type { Page, Panel } from "./panels/panel";
import { pageRegistry } from "./commands/page";
import { LiveFeed } from "./feed/live";
import { SessionRoads } from "./feed/session";
import { lockWhenIdle } from "./idle-lock";
import { LiveMap } from "./live-map";
import { checkSignIn, followAddress, keepAddress, markBody, onKeys, restoreSettings, soundWhenNotLive, tickAlong } from "./effects";
import { parseAddress } from "./state/address";
import { initialState } from "./state/model";
import { report } from "./state/report";
import { Store } from "./state/store";
import { texts } from "./texts";

declare global {
  interface Window {
    rtcc: { state: () => object };
  }
}

const root = document.getElementById("page") as HTMLElement;
const store = new Store(initialState(Date.now()));
const start = parseAddress(location.hash);
restoreSettings(store, start, localStorage);

function element(tag: string): HTMLElement {
  return document.createElement(tag);
}

const stage = Object.assign(element("main"), { id: "stage", ariaLabel: texts.map.title });
const commandBar = new CommandBar();
const live = new LiveMap(stage, store, start.view, root.dataset.streets ?? null);
const commands = pageRegistry(
  store,
  {
    openSearch: () => commandBar.open(),
    center: () => live.centerSelection(),
    home: () => live.home(),
    zoomBy: (steps) => live.zoomBy(steps),
    choose: (selection) => live.choose(selection),
    address: () => live.address(),
    openAddress: (address) => followAddress(store, live, address),
    say: (words) => live.say(words),
  },
  localStorage,
);
const session = new SessionRoads(root.dataset.session ?? "/accounts/session/", root.dataset.csrf ?? "");
if (root.dataset.locked) store.dispatch({ type: "lock", isLocked: true });
const page: Page = {
  store,
  commands,
  session,
  signOutUrl: root.dataset.signOut ?? "/accounts/logout/",
  signInUrl: root.dataset.signIn ?? "/accounts/login/",
  overviewUrl: root.dataset.overview ?? "/audit/",
  adminUrl: root.dataset.admin ?? null,
  choose: (selection) => live.choose(selection),
  goTo: (found) => live.goTo(found),
};

function panel(tag: string): Panel {
  return Object.assign(element(tag) as Panel, { page });
}

stage.append(panel("rtcc-start"), panel("rtcc-frame"));
commandBar.page = page;
root.replaceChildren(panel("rtcc-top"), panel("rtcc-band"), panel("rtcc-layers"), stage, panel("rtcc-side"), commandBar, panel("rtcc-keys"), panel("rtcc-lock"));
live.open();

const feed = new LiveFeed(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live/`, {
  message: (message) => {
    store.dispatch({ type: "message", message, real: Date.now() });
    if (message.type === "hello") live.greeted();
  },
  frame: (frame) => store.dispatch({ type: "frame", frame }),
  link: (event) => {
    store.dispatch({ type: "link", event, real: Date.now() });
    if (event.kind === "closed" && (!event.wasOpen || event.code >= 4401)) void checkSignIn(store, session);
  },
});
live.onLook = (view) => feed.look(view);

tickAlong(store);
markBody(store, root);
keepAddress(store, live);
onKeys(commands, store, commandBar);
soundWhenNotLive(store);
lockWhenIdle(store, session, localStorage, Number(root.dataset.idleS ?? 0) * 1000);
window.rtcc = { state: () => report(store.state, live.isDrawn) };
feed.connect();
