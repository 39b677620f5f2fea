/* Search as you type (ARIA combobox with a list): <div data-lookup data-url="…">, see widgets/lookup.html; with
   data-many="name" each choice becomes a ticked box above, see widgets/lookup_many.html.
   The endpoint answers {"results": [{"id": 1, "text": "…", "note": "…"}], "more": true}. */
(function () {
  "use strict";
  var WAIT = 180;

  function setUp(box) {
    if (box.dataset.ready) return;
    box.dataset.ready = "yes";
    var input = box.querySelector("[role=combobox]");
    var hidden = box.querySelector("input[type=hidden]");
    var list = box.querySelector("[role=listbox]");
    var status = document.getElementById(input.getAttribute("aria-describedby").split(" ")[0]);
    var hint = status.textContent;
    var many = box.dataset.many;
    // With many there is nothing chosen in the text box itself: what is typed and not chosen is dropped.
    var chosen = { id: hidden ? hidden.value : "", text: input.value };
    var active = -1;
    var timer = null;
    var request = null;
    var composing = false;

    function options() { return Array.prototype.slice.call(list.querySelectorAll("[role=option]")); }

    function close() {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function mark(index) {
      var all = options();
      if (!all.length) return;
      active = (index + all.length) % all.length;
      all.forEach(function (option, at) { option.setAttribute("aria-selected", at === active ? "true" : "false"); });
      input.setAttribute("aria-activedescendant", all[active].id);
      all[active].scrollIntoView({ block: "nearest" });
    }

    function add(option) {
      var bag = box.querySelector(".lookup-chosen");
      var known = bag.querySelector('input[value="' + option.dataset.id + '"]');
      if (known) {
        known.checked = true;
      } else {
        var label = document.createElement("label");
        var tick = document.createElement("input");
        Object.assign(tick, { type: "checkbox", name: many, value: option.dataset.id, checked: true });
        tick.className = "form-check-input";
        label.append(tick, " " + option.dataset.text);
        var item = document.createElement("li");
        item.appendChild(label);
        bag.appendChild(item);
        known = tick;
      }
      input.value = "";
      input.removeAttribute("aria-invalid");
      status.textContent = "已选“" + option.dataset.text + "”，可以继续选";
      close();
      known.dispatchEvent(new Event("change", { bubbles: true }));
    }

    function choose(option) {
      if (many) { add(option); return; }
      chosen = { id: option.dataset.id, text: option.dataset.text };
      input.value = chosen.text;
      hidden.value = chosen.id;
      input.removeAttribute("aria-invalid");
      status.textContent = hint;
      close();
      hidden.dispatchEvent(new Event("change", { bubbles: true }));
    }

    function show(answer) {
      list.textContent = "";
      (answer.results || []).forEach(function (result, at) {
        var option = document.createElement("li");
        option.id = list.id + "-" + at;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.id = result.id;
        option.dataset.text = result.text;
        option.textContent = result.text;
        if (result.note) {
          var note = document.createElement("span");
          note.className = "lookup-note";
          note.textContent = result.note;
          option.appendChild(note);
        }
        list.appendChild(option);
      });
      var count = options().length;
      list.hidden = count === 0;
      input.setAttribute("aria-expanded", count ? "true" : "false");
      status.textContent = count === 0 ? "没有找到，请换个词试试" :
        answer.more ? "结果较多，只列出前 " + count + " 条，请继续输入" : "找到 " + count + " 条，用上下键选择";
      active = -1;
    }

    function search() {
      if (request) request.abort();
      request = new AbortController();
      var query = new URLSearchParams({ q: input.value.trim() });
      if (box.dataset.depends) {
        var other = document.getElementById(box.dataset.depends);
        if (other) query.set(other.name, other.value);
      }
      var join = box.dataset.url.indexOf("?") === -1 ? "?" : "&";
      fetch(box.dataset.url + join + query, {
        signal: request.signal, credentials: "same-origin", headers: { Accept: "application/json" },
      }).then(function (response) {
        if (!response.ok || response.redirected) throw new Error("refused");
        return response.json();
      }).then(show).catch(function (error) {
        if (error.name !== "AbortError") { close(); status.textContent = "暂时无法查找，请稍后再试"; }
      });
    }

    function later() {
      window.clearTimeout(timer);
      timer = window.setTimeout(search, WAIT);
    }

    input.addEventListener("compositionstart", function () { composing = true; });
    input.addEventListener("compositionend", function () { composing = false; changed(); });
    function changed() {
      if (composing) return;
      if (hidden && input.value !== chosen.text) hidden.value = "";
      if (input.value === "") chosen = { id: "", text: "" };
      later();
    }
    input.addEventListener("input", changed);
    input.addEventListener("keydown", function (event) {
      if (event.isComposing || composing) return;
      if (event.key === "ArrowDown") {
        event.preventDefault();
        if (list.hidden) search(); else mark(active + 1);
      } else if (event.key === "ArrowUp" && !list.hidden) {
        event.preventDefault();
        mark(active - 1);
      } else if (event.key === "Enter" && !list.hidden) {
        event.preventDefault();
        var all = options();
        if (all.length === 1 || active >= 0) choose(all[Math.max(active, 0)]);
      } else if (event.key === "Escape" && !list.hidden) {
        event.stopPropagation();
        close();
      }
    });
    input.addEventListener("click", function () { if (list.hidden) search(); });
    input.addEventListener("blur", function () {
      window.clearTimeout(timer);
      window.setTimeout(function () {
        close();
        // What is shown is what will be sent: text that names nothing is put back.
        if (input.value !== chosen.text && !(hidden && hidden.value)) {
          if (chosen.id) { input.value = chosen.text; hidden.value = chosen.id; }
          else if (input.value) { status.textContent = "请从列表中选择一项"; input.setAttribute("aria-invalid", "true"); }
        }
      }, 150);
    });
    list.addEventListener("mousedown", function (event) {
      var option = event.target.closest("[role=option]");
      event.preventDefault();
      if (option) choose(option);
    });
  }

  function scan(root) { root.querySelectorAll("[data-lookup]").forEach(setUp); }
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", function () { scan(document); });
  } else {
    scan(document);
  }
  document.addEventListener("htmx:afterSwap", function (event) { scan(event.detail.target); });
})();
