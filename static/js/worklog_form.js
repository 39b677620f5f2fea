/* The quick form: says which photos were chosen, and narrows many charges down by name. */
(function () {
  "use strict";

  var status = document.querySelector("[data-photo-status]");
  var inputs = document.querySelectorAll("[data-photo-input]");

  function told() {
    var names = [];
    inputs.forEach(function (input) {
      Array.prototype.forEach.call(input.files, function (file) { names.push(file.name); });
    });
    status.textContent = names.length ? "已选 " + names.length + " 张：" + names.join("、") : "";
  }
  if (status) inputs.forEach(function (input) { input.addEventListener("change", told); });

  document.querySelectorAll("[data-narrow]").forEach(function (box) {
    var group = box.querySelector("fieldset");
    if (!group) return;
    var search = document.createElement("input");
    search.type = "search";
    search.className = "form-control log-narrow";
    search.placeholder = box.dataset.narrow;
    search.setAttribute("aria-label", box.dataset.narrow);
    group.querySelector("legend").insertAdjacentElement("afterend", search);
    search.addEventListener("input", function () {
      var wanted = search.value.trim();
      group.querySelectorAll("label").forEach(function (label) {
        if (!label.querySelector("input[type=radio]")) return;
        var chosen = label.querySelector("input").checked;
        label.parentElement.hidden = !chosen && label.textContent.indexOf(wanted) === -1;
      });
    });
    search.addEventListener("keydown", function (event) {
      if (event.key === "Enter") event.preventDefault();
    });
  });
})();
