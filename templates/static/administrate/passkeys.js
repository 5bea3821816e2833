// Signing in with, confirming with and adding passkeys. Where the browser has none, their buttons stay hidden.
// A form[data-passkey] asks the browser for a credential with the options of data-passkey-options (the id of a JSON
// element) or data-passkey-from (an address), puts it into its hidden field and is sent.
"use strict";

(() => {
  const optionsOf = async (form) => {
    if (form.dataset.passkeyOptions) return JSON.parse(document.getElementById(form.dataset.passkeyOptions).textContent);
    const response = await fetch(form.dataset.passkeyFrom, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    return (await response.json()).request_options;
  };

  const create = (options) => {
    // One that also signs in without a password: kept on the device, and opened by finger, face or PIN.
    options.publicKey.authenticatorSelection = {
      ...options.publicKey.authenticatorSelection,
      residentKey: "required",
      requireResidentKey: true,
      userVerification: "required",
    };
    return window.webauthnJSON.create(options);
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) {
      const wanting = form.querySelector("button");
      if (form.dataset.passkey === "create") wanting.disabled = true;
      continue;
    }
    form.hidden = false;
    const button = form.querySelector("button");
    const problem = form.querySelector("[role=alert]");
    button.addEventListener("click", async () => {
      problem.hidden = true;
      button.setAttribute("aria-disabled", "true");
      try {
        const options = await optionsOf(form);
        const credential = form.dataset.passkey === "create" ? await create(options) : await window.webauthnJSON.get(options);
        form.querySelector("[name=credential]").value = JSON.stringify(credential);
        form.submit();
      } catch {
        problem.hidden = false;
        button.removeAttribute("aria-disabled");
      }
    });
    // Enter in the name's field asks for the passkey, too.
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      button.click();
    });
  }
})();
