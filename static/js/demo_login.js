/* The demo's login page: a place and a role make the user name. */
(function () {
  "use strict";
  var section = document.querySelector("[data-demo-login]");
  if (!section) return;
  var input = document.getElementById(section.dataset.demoLogin);
  var places = Array.prototype.slice.call(section.querySelectorAll("[data-place]"));
  var roles = Array.prototype.slice.call(section.querySelectorAll("[data-role]"));

  function press(group, chosen) {
    group.forEach(function (button) { button.setAttribute("aria-pressed", button === chosen ? "true" : "false"); });
  }
  function pressed(group) {
    return group.find(function (button) { return button.getAttribute("aria-pressed") === "true"; });
  }
  function fill() {
    var role = pressed(roles);
    var place = pressed(places);
    if (role && place) input.value = role.dataset.role + "-" + place.dataset.place;
  }
  section.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button) return;
    press(button.dataset.place ? places : roles, button);
    fill();
    if (button.dataset.role) {
      var password = document.querySelector("input[type=password]");
      if (password) password.focus();
    }
  });
})();
