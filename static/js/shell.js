/* Menus that close by themselves, session-expiry of partial requests, and the phone's bottom sheet. */
(function () {
  "use strict";

  function closeMenus(except) {
    document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
      if (menu !== except) menu.open = false;
    });
  }

  document.addEventListener("click", function (event) {
    closeMenus(event.target.closest("details[data-menu]"));
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    var menu = document.querySelector("details[data-menu][open]");
    if (!menu) return;
    var inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  });

  // A partial request after the session ended would put the login page inside the page.
  document.addEventListener("htmx:beforeSwap", function (event) {
    var url = event.detail.xhr.responseURL || "";
    if (url.indexOf("/accounts/login/") !== -1) {
      event.preventDefault();
      window.location.reload();
    }
  });

  // After a swap the control that was used keeps the focus, by its id or its name.
  var remembered = null;
  document.addEventListener("htmx:beforeRequest", function () {
    var active = document.activeElement;
    remembered = active && active !== document.body ? { id: active.id, name: active.name } : null;
  });
  document.addEventListener("htmx:afterSettle", function () {
    if (!remembered || (document.activeElement && document.activeElement !== document.body)) return;
    var target = remembered.id ? document.getElementById(remembered.id) : null;
    if (!target && remembered.name) target = document.getElementsByName(remembered.name)[0];
    if (target) target.focus();
  });

  // A refused partial request leaves the page as it is and says why.
  document.addEventListener("portal:error", function (event) {
    var region = document.getElementById("messages");
    if (!region || !event.detail || !event.detail.text) return;
    var notice = document.createElement("div");
    notice.className = "notice notice-error";
    notice.textContent = event.detail.text;
    region.replaceChildren(notice);
    region.scrollIntoView({ block: "center" });
  });

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) window.print();
  });
})();
