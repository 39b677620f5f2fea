/* One click, one request; and the first error gets the focus. */
(function () {
  "use strict";

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || form.method === "dialog" || form.hasAttribute("data-resubmit")) return;
    if ((form.getAttribute("method") || "get").toLowerCase() !== "post") return;
    if (form.dataset.sent === "yes") {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    // After this event: a disabled button would not send its own name and value.
    window.setTimeout(function () {
      form.querySelectorAll("button[type=submit], button:not([type]), input[type=submit]").forEach(function (button) {
        button.disabled = true;
        button.setAttribute("aria-busy", "true");
      });
    }, 0);
  });

  function release(root) {
    root.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      form.querySelectorAll("[aria-busy=true]").forEach(function (button) {
        button.disabled = false;
        button.removeAttribute("aria-busy");
      });
    });
  }
  // The back button shows the page as it was left; a refused partial request leaves the form in place.
  window.addEventListener("pageshow", function () { release(document); });
  document.addEventListener("htmx:afterRequest", function () { release(document); });

  function focusError(root) {
    var first = root.querySelector("[data-error-summary]") ||
      root.querySelector("input[aria-invalid=true], select[aria-invalid=true], textarea[aria-invalid=true]");
    if (first) first.focus();
  }
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", function () { focusError(document); });
  } else {
    focusError(document);
  }
  document.addEventListener("htmx:afterSwap", function (event) { focusError(event.detail.target); });

  // A browser words its own file button in its own language: ours says the same in the page's, and takes a dropped file.
  function nameFiles(root) {
    root.querySelectorAll("input[type=file].form-control").forEach(function (input) {
      var pick = document.createElement("div");
      var button = document.createElement("span");
      var told = document.createElement("span");
      pick.className = "file-pick";
      button.className = "btn";
      button.textContent = input.multiple ? "选择文件（可多选）" : "选择文件";
      told.className = "file-pick-name";
      button.setAttribute("aria-hidden", "true");
      told.setAttribute("role", "status");
      function tell() {
        var names = Array.prototype.map.call(input.files, function (file) { return file.name; });
        told.textContent = names.length ? names.join("、") : "未选择文件，也可以拖到这里";
      }
      input.classList.replace("form-control", "file-pick-input");
      input.parentNode.insertBefore(pick, input);
      pick.append(input, button, told);
      input.addEventListener("change", tell);
      tell();
    });
  }
  nameFiles(document);
  document.addEventListener("htmx:afterSwap", function (event) { nameFiles(event.detail.target); });

  // Links of an error summary put the focus into the field, not only on the screen.
  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-error-summary] a[href^='#']");
    var field = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.scrollIntoView({ block: "center" });
  });
})();
