/* Tick all or none of a month's logs. */
(function () {
  "use strict";
  var all = document.querySelector("[data-tick-all]");
  if (!all) return;
  var ticks = document.querySelectorAll("[data-tick]");

  function follow() {
    var chosen = Array.prototype.filter.call(ticks, function (tick) { return tick.checked; }).length;
    all.checked = chosen === ticks.length;
    all.indeterminate = chosen > 0 && chosen < ticks.length;
  }
  all.addEventListener("change", function () {
    ticks.forEach(function (tick) { tick.checked = all.checked; });
  });
  ticks.forEach(function (tick) { tick.addEventListener("change", follow); });
})();
