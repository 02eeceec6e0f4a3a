// Forms with data-passkey ask the browser for a passkey and send what it says. Options stand in the page or come from data-options.

const isAble = "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;
const REASONS = {
  NotAllowedError: "Nothing was used. Try again when you are ready.",
  InvalidStateError: "This device has a passkey of yours already.",
  SecurityError: "Passkeys work only at the server's own address.",
};

async function optionsFor(form) {
  if (!form.dataset.options) return JSON.parse(document.getElementById("passkey-options").textContent).publicKey;
  const answer = await fetch(form.dataset.options, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error("The server did not answer. Try again.");
  return (await answer.json()).request_options.publicKey;
}

async function ask(form) {
  const told = await optionsFor(form);
  if (form.dataset.passkey === "get") return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(told) });
  const alone = form.elements.passwordless.checked;
  const authenticatorSelection = { ...told.authenticatorSelection, residentKey: alone ? "required" : "discouraged", requireResidentKey: alone, userVerification: alone ? "required" : "preferred" };
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON({ ...told, authenticatorSelection }) });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !isAble;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const trouble = form.querySelector("[data-trouble]");
    trouble.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify((await ask(form)).toJSON());
      form.submit();
    } catch (error) {
      trouble.textContent = REASONS[error.name] ?? error.message;
      trouble.hidden = false;
    }
  });
}
