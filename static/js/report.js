/* Sections of a document are kept as one writes: each changed section is sent a moment after the last key, one
   request at a time, because every answer carries the revision that the next one has to name. */
(function () {
  "use strict";
  var form = document.querySelector("form[data-report-autosave]");
  if (!form) return;
  var status = form.querySelector("[data-autosave-status]");
  var revision = form.querySelector("input[name=revision]");
  var token = form.querySelector("input[name=csrfmiddlewaretoken]").value;
  var changed = new Set();
  var busy = false;
  var blocked = false;
  var timer = null;

  function say(text) { status.textContent = text; }

  function localKey(name) { return "report:" + form.dataset.reportAutosave + ":" + name; }

  function keepLocally(name, value) {
    try { window.localStorage.setItem(localKey(name), value); } catch (error) { /* a full store is no reason to stop */ }
  }

  function schedule(delay) {
    window.clearTimeout(timer);
    timer = window.setTimeout(send, delay);
  }

  function send() {
    if (busy || blocked || !changed.size) return;
    busy = true;
    var names = Array.from(changed);
    var body = new FormData();
    body.append("csrfmiddlewaretoken", token);
    body.append("revision", revision.value);
    names.forEach(function (name) { body.append(name, form.elements[name].value); });
    changed.clear();
    say("正在保存…");
    fetch(form.dataset.reportAutosave, { method: "POST", body: body, headers: { "X-Requested-With": "fetch" } })
      .then(function (response) {
        return response.json().then(function (data) { return { ok: response.ok, status: response.status, data: data }; });
      })
      .then(function (answer) {
        busy = false;
        if (answer.ok) {
          revision.value = answer.data.revision;
          names.forEach(function (name) {
            try { window.localStorage.removeItem(localKey(name)); } catch (error) { /* nothing kept, nothing to remove */ }
          });
          say("已自动保存 " + answer.data.saved);
          if (changed.size) schedule(300);
        } else {
          // Somebody saved elsewhere, or a section is too long: saving goes on only after the author has looked.
          names.forEach(function (name) { changed.add(name); });
          blocked = answer.status === 409;
          say("未能保存：" + answer.data.error);
        }
      })
      .catch(function () {
        busy = false;
        names.forEach(function (name) { changed.add(name); });
        say("网络不通，文字已留在本机，恢复后自动保存。");
        schedule(5000);
      });
  }

  form.addEventListener("input", function (event) {
    var name = event.target.dataset.section;
    if (!name) return;
    changed.add(name);
    keepLocally(name, event.target.value);
    schedule(1200);
  });
  window.addEventListener("online", function () { schedule(0); });

  // What could not be sent last time is still in this browser: put it back and send it.
  form.querySelectorAll("[data-section]").forEach(function (area) {
    var kept = null;
    try { kept = window.localStorage.getItem(localKey(area.name)); } catch (error) { /* private mode */ }
    if (kept !== null && kept !== area.value) {
      area.value = kept;
      changed.add(area.name);
      say("已恢复本机上未保存的文字。");
    }
  });
  if (changed.size) schedule(500);
})();
