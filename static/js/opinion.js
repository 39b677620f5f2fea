/* An opinion's items: added and taken out on the page, and the whole form kept as one writes. One request at a time,
   because every answer carries the revision that the next one has to name. Without scripts the form works the same:
   blank rows stand ready and a row is taken out by its box. */
(function () {
  "use strict";
  var form = document.querySelector("form[data-opinion]");
  if (!form) return;
  var cards = form.querySelector("[data-items]");
  var template = form.querySelector("[data-item-template]");
  var total = form.querySelector("input[name=items-TOTAL_FORMS]");
  var adder = form.querySelector("[data-item-add]");
  var url = form.dataset.opinionAutosave;
  var status = form.querySelector("[data-autosave-status]");
  var revision = form.querySelector("input[name=revision]");

  function say(text) { if (status) status.textContent = text; }

  // --- rows ---

  function addRow() {
    var number = parseInt(total.value, 10);
    var holder = document.createElement("div");
    holder.innerHTML = template.innerHTML.replace(/__prefix__/g, String(number));
    var card = holder.firstElementChild;
    card.setAttribute("aria-label", "意见条目 " + (number + 1));
    cards.appendChild(card);
    total.value = String(number + 1);
    prepare(card);
    return card;
  }

  function prepare(card) {
    var box = card.querySelector("input[name$=-DELETE]");
    if (!box) return;
    box.closest(".item-drop").hidden = true;
    var button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm btn-quiet";
    button.textContent = "删除本条";
    button.addEventListener("click", function () {
      box.checked = true;
      card.hidden = true;
      say("已删除一条，保存后生效。");
      if (adder) adder.focus();
      later();
    });
    card.appendChild(button);
    if (box.checked) card.hidden = true;
  }

  cards.querySelectorAll("[data-item]").forEach(prepare);
  if (adder) {
    adder.hidden = false;
    adder.addEventListener("click", function () { addRow().querySelector("textarea").focus(); });
  }

  // --- kept as one writes ---

  if (!url) return;
  var token = form.querySelector("input[name=csrfmiddlewaretoken]").value;
  var store = "opinion:" + form.dataset.opinionUser + ":" + url;
  var timer = null, busy = false, again = false, blocked = false, sent = false, last = "";

  function pairs() {
    var found = [];
    new FormData(form).forEach(function (value, name) {
      if (typeof value === "string" && name !== "csrfmiddlewaretoken" && name !== "revision") found.push([name, value]);
    });
    return found;
  }

  function keepHere() {
    try { window.localStorage.setItem(store, JSON.stringify({ revision: revision.value, pairs: pairs() })); }
    catch (error) { /* a full store is no reason to stop */ }
  }

  function forget() {
    try { window.localStorage.removeItem(store); } catch (error) { /* nothing kept, nothing to remove */ }
  }

  function later() {
    if (sent) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(send, 1500);
  }

  function send() {
    if (blocked || sent) return;
    if (busy) { again = true; return; }
    var now = JSON.stringify(pairs());
    if (now === last) return;
    var body = new FormData();
    body.append("csrfmiddlewaretoken", token);
    body.append("revision", revision.value);
    pairs().forEach(function (pair) { body.append(pair[0], pair[1]); });
    busy = true;
    say("正在保存…");
    window.fetch(url, { method: "POST", body: body, credentials: "same-origin", headers: { "X-Requested-With": "fetch" } })
      .then(function (response) {
        if (response.redirected || response.status === 403) {
          keepHere();
          say("未能保存：登录已失效或征询已有变化，内容已暂存在本机，请刷新页面查看。");
          blocked = true;
          return null;
        }
        return response.json().then(function (data) {
          if (response.ok) {
            revision.value = data.revision;
            last = now;
            forget();
            say("已自动保存 " + data.saved);
          } else {
            // Somebody saved elsewhere: saving goes on only after the author has looked.
            keepHere();
            blocked = response.status === 409;
            say("未能保存：" + data.error);
          }
          return null;
        });
      })
      .catch(function () {
        keepHere();
        say("网络不通，文字已暂存在本机，恢复后自动保存。");
        window.setTimeout(later, 5000);
      })
      .then(function () {
        busy = false;
        if (again) { again = false; send(); }
      });
  }

  form.addEventListener("input", later);
  form.addEventListener("change", later);
  window.addEventListener("online", later);
  window.addEventListener("pagehide", function () { if (!sent && timer && JSON.stringify(pairs()) !== last) keepHere(); });
  form.addEventListener("submit", function (event) {
    if (event.defaultPrevented) return;
    sent = true;
    window.clearTimeout(timer);
    forget();
  });
  window.addEventListener("pageshow", function () { sent = false; });

  function restore(kept) {
    var names = kept.pairs.map(function (pair) { return pair[0]; });
    var rows = kept.pairs.find(function (pair) { return pair[0] === "items-TOTAL_FORMS"; });
    while (rows && parseInt(total.value, 10) < parseInt(rows[1], 10)) addRow();
    Array.prototype.forEach.call(form.elements, function (field) {
      if ((field.type === "checkbox" || field.type === "radio") && names.length) field.checked = false;
    });
    kept.pairs.forEach(function (pair) {
      var fields = form.querySelectorAll('[name="' + pair[0] + '"]');
      fields.forEach(function (field) {
        if (field.type === "checkbox" || field.type === "radio") { if (field.value === pair[1]) field.checked = true; }
        else if (field.type !== "hidden") field.value = pair[1];
      });
    });
    cards.querySelectorAll("[data-item]").forEach(function (card) {
      var box = card.querySelector("input[name$=-DELETE]");
      card.hidden = Boolean(box && box.checked);
    });
  }

  // What could not be sent last time is still in this browser: put back when nobody has saved since.
  if (!form.querySelector("[data-error-summary]")) {
    var kept = null;
    try { kept = JSON.parse(window.localStorage.getItem(store) || "null"); } catch (error) { /* private mode */ }
    last = JSON.stringify(pairs());
    if (kept && kept.revision === revision.value && JSON.stringify(kept.pairs) !== last) {
      restore(kept);
      say("已恢复本机上未保存的文字。");
      later();
    } else if (kept) {
      forget();
    }
  }
})();
