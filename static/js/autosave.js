/* Drafts that save themselves: <form data-autosave="worklog-create">.
   To the server while there is a connection, into the browser's own storage when there is none; offered again when the
   form is opened. The form tells its key when it is sent, and the server forgets the draft once it has taken the form
   (core.draft_clearing). Files, passwords, hidden machinery and names in data-autosave-skip are left out. */
(function () {
  "use strict";

  var WAIT = 1500;
  var LEFT_OUT = ["csrfmiddlewaretoken", "submission_key", "_draft_key"];

  var KEY_FIELD = "_draft_key";
  var TAKEN = "draft_taken";

  function cookie(name) {
    var found = document.cookie.split("; ").find(function (part) { return part.indexOf(name + "=") === 0; });
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  }

  function local(key, value) {
    try {
      if (value === undefined) return JSON.parse(window.localStorage.getItem(key) || "null");
      if (value === null) window.localStorage.removeItem(key);
      else window.localStorage.setItem(key, JSON.stringify(value));
    } catch (error) {
      // Storage may be full or switched off; the server's copy remains.
    }
    return null;
  }

  function fieldsOf(form) {
    var skip = LEFT_OUT.concat((form.dataset.autosaveSkip || "").split(/[\s,]+/));
    return Array.prototype.filter.call(form.elements, function (field) {
      return field.name && !field.disabled && skip.indexOf(field.name) < 0 && !field.hasAttribute("data-no-autosave") &&
        ["file", "password", "submit", "button", "reset", "image"].indexOf(field.type) < 0;
    });
  }

  function read(form) {
    var data = {};
    fieldsOf(form).forEach(function (field) {
      if (field.type === "checkbox" || field.type === "radio") {
        if (!(field.name in data)) data[field.name] = [];
        if (field.checked) data[field.name].push(field.value);
      } else if (field.type === "select-multiple") {
        data[field.name] = Array.prototype.map.call(field.selectedOptions, function (option) { return option.value; });
      } else {
        data[field.name] = field.value;
      }
    });
    return data;
  }

  function write(form, data) {
    fieldsOf(form).forEach(function (field) {
      if (!(field.name in data)) return;
      var value = data[field.name];
      if (field.type === "checkbox" || field.type === "radio") {
        field.checked = Array.isArray(value) ? value.indexOf(field.value) >= 0 : value === true;
      } else if (field.type === "select-multiple") {
        Array.prototype.forEach.call(field.options, function (option) { option.selected = value.indexOf(option.value) >= 0; });
      } else {
        field.value = Array.isArray(value) ? value.join(",") : value;
      }
      field.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  function same(one, other) {
    return Object.keys(other).every(function (name) {
      return !(name in one) || JSON.stringify(one[name]) === JSON.stringify(other[name]);
    });
  }

  function setUp(form) {
    if (!form.dataset.autosave || form.dataset.autosaveReady) return;
    form.dataset.autosaveReady = "yes";
    var key = form.dataset.autosave;
    // A shared browser: one person's words must not be offered to the next.
    var owner = form.dataset.autosaveUser || "";
    var store = "draft:" + owner + ":" + key;
    var url = form.dataset.autosaveUrl || "/drafts/" + encodeURIComponent(key) + "/";
    var timer = 0, running = null, again = false, sent = false, last = JSON.stringify(read(form));

    var note = form.querySelector("[data-autosave-status]");
    if (!note) {
      note = document.createElement("p");
      note.className = "form-hint";
      form.appendChild(note);
    }
    note.setAttribute("role", "status");
    function say(text) { note.textContent = text; }

    function clock(moment) {
      return ("0" + moment.getHours()).slice(-2) + ":" + ("0" + moment.getMinutes()).slice(-2);
    }

    function keepHere(data) {
      local(store, { data: data, saved: new Date().toISOString() });
      say("网络不通，已暂存在本机 " + clock(new Date()) + "，恢复后自动保存");
    }

    function save() {
      timer = 0;
      var data = read(form), text = JSON.stringify(data);
      if (sent || text === last) return;
      if (running) { again = true; return; }
      running = new AbortController();
      window.fetch(url, {
        method: "POST", credentials: "same-origin", body: text, signal: running.signal,
        headers: { "Content-Type": "application/json", "X-CSRFToken": token() }
      }).then(function (response) {
        if (response.redirected || response.status === 403) {
          local(store, { data: data, saved: new Date().toISOString() });
          say("登录已失效，内容已暂存在本机，请重新登录后继续");
          return null;
        }
        return response.json().then(function (answer) {
          if (!response.ok) { say(answer.error || "未能自动保存"); return; }
          last = text;
          local(store, null);
          say("已自动保存 " + answer.saved_words);
        });
      }).catch(function () { if (!sent) keepHere(data); }).then(function () {
        running = null;
        if (again) { again = false; save(); }
      });
    }

    function token() {
      var field = form.querySelector("input[name=csrfmiddlewaretoken]");
      return field ? field.value : cookie("csrftoken");
    }

    function later() {
      if (sent) return;
      window.clearTimeout(timer);
      timer = window.setTimeout(save, WAIT);
    }

    function forget() {
      local(store, null);
      return window.fetch(url, { method: "DELETE", credentials: "same-origin", keepalive: true, headers: { "X-CSRFToken": token() } })
        .catch(function () { return null; });
    }

    function offer(found) {
      var bar = document.createElement("div");
      bar.className = "notice";
      bar.setAttribute("role", "status");
      var text = document.createElement("p");
      text.textContent = "有一份 " + clock(new Date(found.saved)) + " 自动保存的草稿。";
      var take = document.createElement("button");
      take.type = "button";
      take.className = "btn btn-primary";
      take.textContent = "恢复草稿";
      var drop = document.createElement("button");
      drop.type = "button";
      drop.className = "btn";
      drop.textContent = "不用了";
      take.addEventListener("click", function () {
        write(form, found.data);
        bar.remove();
        say("已恢复草稿");
        last = "";
        later();
      });
      drop.addEventListener("click", function () { bar.remove(); forget(); });
      bar.append(text, take, drop);
      form.prepend(bar);
    }

    form.addEventListener("input", later);
    form.addEventListener("change", later);
    window.addEventListener("online", later);
    // Leaving the page within the wait: what was typed is kept on this machine.
    window.addEventListener("pagehide", function () {
      if (!sent && timer) local(store, { data: read(form), saved: new Date().toISOString() });
    });
    var keyField = document.createElement("input");
    keyField.type = "hidden";
    keyField.name = KEY_FIELD;
    keyField.value = key;
    form.appendChild(keyField);
    form.addEventListener("submit", function (event) {
      if (event.defaultPrevented) return;
      sent = true;
      window.clearTimeout(timer);
      timer = 0;
      // A save under way must not arrive after the form and bring the draft back.
      if (running) running.abort();
    });
    window.addEventListener("pageshow", function () { sent = false; });

    // A form shown again with errors holds what was typed already.
    if (form.querySelector("[data-error-summary], .is-invalid")) return;
    var here = local(store);
    window.fetch(url, { credentials: "same-origin", headers: { "Accept": "application/json" } }).then(function (response) {
      return response.status === 200 && !response.redirected ? response.json() : null;
    }).catch(function () { return null; }).then(function (there) {
      var newest = !here || (there && new Date(there.saved) >= new Date(here.saved)) ? there : here;
      if (newest && newest.data && !same(read(form), newest.data)) offer(newest);
    });
  }

  // The server says which form it has just taken: what this browser kept of it goes too.
  function clearTaken() {
    var taken = cookie(TAKEN);
    if (!taken) return;
    document.cookie = TAKEN + "=; Max-Age=0; path=/; SameSite=Lax";
    try {
      Object.keys(window.localStorage).forEach(function (name) {
        if (name.indexOf("draft:") === 0 && name.slice(-taken.length - 1) === ":" + taken) window.localStorage.removeItem(name);
      });
    } catch (error) {
      // No storage: nothing was kept.
    }
  }

  function start() {
    clearTaken();
    document.querySelectorAll("form[data-autosave]").forEach(setUp);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
  document.addEventListener("htmx:load", function (event) {
    if (event.target.querySelectorAll) event.target.querySelectorAll("form[data-autosave]").forEach(setUp);
  });
})();
