/* <div class="chart" data-chart="id-of-json"> with a json_script beside it: an ECharts option. Loaded with
   vendor/echarts/echarts.common.min.js on pages that need it alone. */
(function () {
  "use strict";
  if (!window.echarts) return;
  var COLOURS = ["#1f5a8f", "#b5382a", "#1d6b43", "#855300", "#5b4a8a", "#3f7f8c"];
  var charts = [];

  function draw(box) {
    var source = document.getElementById(box.dataset.chart);
    if (!source || box.dataset.drawn) return;
    box.dataset.drawn = "yes";
    var option = JSON.parse(source.textContent);
    option.color = option.color || COLOURS;
    option.textStyle = Object.assign({ fontFamily: getComputedStyle(document.body).fontFamily }, option.textStyle);
    option.animation = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    // Drawn on the canvas: a tooltip in HTML would need inline styles, which the page's policy forbids.
    option.tooltip = Object.assign({ confine: true }, option.tooltip, { renderMode: "richText" });
    var chart = window.echarts.init(box, null, { renderer: "canvas" });
    chart.setOption(option);
    charts.push(chart);
  }

  function scan(root) { root.querySelectorAll("[data-chart]").forEach(draw); }
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", function () { scan(document); });
  } else {
    scan(document);
  }
  document.addEventListener("htmx:afterSwap", function (event) { scan(event.detail.target); });
  window.addEventListener("resize", function () { charts.forEach(function (chart) { chart.resize(); }); });
})();
