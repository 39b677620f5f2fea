/* One click for the items that nobody objects to: those without a choice yet are adopted. */
(function () {
  "use strict";
  var button = document.querySelector("[data-adopt-rest]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", function () {
    document.querySelectorAll(".adopt-choice").forEach(function (choice) {
      if (choice.querySelector("input:checked")) return;
      var adopted = choice.querySelector("input[value='adopted']");
      if (!adopted) return;
      adopted.checked = true;
      adopted.dispatchEvent(new Event("change", { bubbles: true }));
    });
  });
})();
