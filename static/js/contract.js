/* Of person, team and institution the form shows what the chosen kind of party needs; without scripts all are shown. */
(function () {
  "use strict";
  var kinds = document.querySelectorAll("input[name=party_kind]");
  var blocks = document.querySelectorAll("[data-party]");
  function show() {
    var chosen = document.querySelector("input[name=party_kind]:checked");
    blocks.forEach(function (block) {
      block.hidden = !chosen || block.dataset.party.split(" ").indexOf(chosen.value) === -1;
    });
  }
  kinds.forEach(function (kind) { kind.addEventListener("change", show); });
  show();
})();
