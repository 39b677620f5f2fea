/* Field work: a pin is set by a tap or the arrow keys; what belongs to a ticked box shows with it. The number fields
   remain for whoever has neither. */
(function () {
  "use strict";

  function clamp(value) { return Math.min(100, Math.max(0, value)); }

  document.querySelectorAll("[data-pin-box]").forEach(function (box) {
    var choice = box.querySelector("select[name=plan]");
    var x = box.querySelector("input[name=x]");
    var y = box.querySelector("input[name=y]");
    var plans = box.querySelectorAll("[data-pin-pick]");
    if (!choice || !x || !y) return;

    function draw() {
      plans.forEach(function (plan) {
        var circle = plan.querySelector("circle");
        plan.hidden = plan.dataset.plan !== choice.value;
        circle.setAttribute("visibility", x.value !== "" && y.value !== "" ? "visible" : "hidden");
        circle.setAttribute("cx", clamp(parseFloat(x.value) || 0) + "%");
        circle.setAttribute("cy", clamp(parseFloat(y.value) || 0) + "%");
      });
      box.querySelector(".pin-fields").hidden = choice.value === "";
    }

    function set(left, top) {
      x.value = clamp(left).toFixed(1);
      y.value = clamp(top).toFixed(1);
      draw();
    }

    plans.forEach(function (plan) {
      plan.addEventListener("click", function (event) {
        var place = plan.querySelector("img").getBoundingClientRect();
        if (!place.width || !place.height) return;
        set((event.clientX - place.left) / place.width * 100, (event.clientY - place.top) / place.height * 100);
      });
      plan.addEventListener("keydown", function (event) {
        var step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!step) return;
        event.preventDefault();
        var left = x.value === "" ? 50 : parseFloat(x.value), top = y.value === "" ? 50 : parseFloat(y.value);
        set(left + step[0], top + step[1]);
      });
    });
    choice.addEventListener("change", draw);
    x.addEventListener("input", draw);
    y.addEventListener("input", draw);
    draw();
  });

  document.querySelectorAll("[data-reveal]").forEach(function (group) {
    var tick = group.querySelector("input[name=" + group.dataset.reveal + "]");
    var part = group.querySelector("[data-revealed]");
    function show() { part.hidden = !tick.checked; }
    tick.addEventListener("change", show);
    show();
  });
})();
