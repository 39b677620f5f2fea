/* An evaluation form saves itself line by line: a changed line is sent a moment after the last key, one request at a
   time. Each line carries the mark of what it was built from, so that two devices do not write over one another.
   What could not be sent is kept for this tab alone: what one judges must not stay behind in a shared browser. */
(function () {
  "use strict";
  var form = document.querySelector("form[data-sheet-autosave]");
  if (!form) return;
  var url = form.dataset.sheetAutosave;
  var status = form.querySelector("[data-autosave-status]");
  var token = form.querySelector("input[name=csrfmiddlewaretoken]").value;
  var changed = new Set();
  var busy = false;
  var blocked = false;
  var leaving = false;
  var timer = null;

  function say(text) { status.textContent = text; }

  function lineOf(element) { return element.closest("[data-line]"); }

  function controls(line) { return line.querySelectorAll("input[name], textarea[name], select[name]"); }

  function key(line) { return "sheet:" + url + ":" + line.dataset.line; }

  function read(line) {
    var data = {};
    controls(line).forEach(function (control) {
      if ((control.type === "radio" || control.type === "checkbox") && !control.checked) return;
      data[control.name] = control.value;
    });
    return data;
  }

  function keep(line) {
    try { window.sessionStorage.setItem(key(line), JSON.stringify(read(line))); } catch (error) { /* nothing lost but this */ }
  }

  function forget(line) {
    try { window.sessionStorage.removeItem(key(line)); } catch (error) { /* nothing kept, nothing to remove */ }
  }

  function mark(line, how) {
    line.classList.remove("is-saved", "is-unsaved", "is-wrong");
    if (how) line.classList.add(how);
  }

  function schedule(delay) {
    window.clearTimeout(timer);
    timer = window.setTimeout(send, delay);
  }

  function showErrors(errors) {
    Object.keys(errors).forEach(function (name) {
      var control = form.querySelector("[name='" + name + "']");
      if (!control) return;
      var line = lineOf(control);
      mark(line, "is-wrong");
      var holder = line.querySelector(".field-error[data-live]") || document.createElement("p");
      holder.className = "field-error";
      holder.setAttribute("data-live", "");
      holder.textContent = errors[name];
      line.querySelector(".line-main").appendChild(holder);
    });
  }

  function clearErrors(line) {
    line.querySelectorAll(".field-error").forEach(function (error) { error.remove(); });
  }

  function send() {
    if (busy || blocked || leaving || !changed.size) return;
    busy = true;
    var lines = Array.from(changed);
    changed.clear();
    var body = new FormData();
    body.append("csrfmiddlewaretoken", token);
    lines.forEach(function (line) {
      var data = read(line);
      Object.keys(data).forEach(function (name) { body.append(name, data[name]); });
    });
    say("正在保存…");
    fetch(url, { method: "POST", body: body, headers: { "X-Requested-With": "fetch" } })
      .then(function (response) {
        return response.json().catch(function () { return {}; }).then(function (data) {
          return { status: response.status, data: data };
        });
      })
      .then(function (answer) {
        busy = false;
        if (answer.status === 200 && answer.data.seen) {
          Object.keys(answer.data.seen).forEach(function (name) {
            form.querySelector("[name='" + name + "']").value = answer.data.seen[name];
          });
          lines.forEach(function (line) {
            if (changed.has(line)) return;
            forget(line);
            clearErrors(line);
            mark(line, "is-saved");
          });
          form.querySelector("[data-filled]").textContent = answer.data.filled;
          form.querySelector("[data-total]").textContent = answer.data.total;
          say("已自动保存 " + answer.data.saved);
          if (changed.size) schedule(200);
        } else if (answer.status === 200 && answer.data.errors) {
          // Another line must not wait for the one that is wrong: it goes again when it is changed.
          showErrors(answer.data.errors || {});
          say("未能保存：" + (answer.data.error || "请检查填写的内容。"));
          lines.filter(function (line) { return !line.classList.contains("is-wrong"); })
            .forEach(function (line) { changed.add(line); });
          if (changed.size) schedule(500);
        } else {
          blocked = true;
          lines.forEach(function (line) { changed.add(line); mark(line, "is-unsaved"); });
          say(answer.data.error || "未能保存：请刷新页面查看这份评估表的状态。");
        }
      })
      .catch(function () {
        busy = false;
        if (leaving) return;
        lines.forEach(function (line) { changed.add(line); mark(line, "is-unsaved"); });
        say("网络不通，恢复后自动保存；请不要关闭本页。");
        schedule(5000);
      });
  }

  function touched(event, delay) {
    var line = event.target.name ? lineOf(event.target) : null;
    if (!line) return;
    changed.add(line);
    keep(line);
    schedule(delay);
  }

  form.addEventListener("input", function (event) { touched(event, 900); });
  form.addEventListener("change", function (event) { touched(event, 150); });
  window.addEventListener("online", function () { schedule(0); });
  window.addEventListener("beforeunload", function (event) {
    if (!leaving && changed.size) event.preventDefault();
  });

  // Enter goes on to the next field, as where many figures are typed; Ctrl and Enter hands in.
  form.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-submit-sheet]"));
      return;
    }
    if (event.target.tagName !== "INPUT") return;
    event.preventDefault();
    var all = Array.from(form.querySelectorAll("input:not([type=hidden]), textarea, select, button"));
    var name = event.target.name;
    var rest = all.slice(all.indexOf(event.target) + 1).filter(function (other) { return other.name !== name; });
    if (rest.length) rest[0].focus();
  });

  form.addEventListener("submit", function (event) {
    leaving = true;
    var also = event.submitter && event.submitter.dataset.also;
    if (also) {
      var extra = document.createElement("input");
      extra.type = "hidden";
      extra.name = also;
      extra.value = "1";
      form.appendChild(extra);
    }
    form.querySelectorAll("[data-line]").forEach(forget);
  });

  // What this tab could not send before it was loaded anew.
  form.querySelectorAll("[data-line]").forEach(function (line) {
    var kept = null;
    try { kept = JSON.parse(window.sessionStorage.getItem(key(line)) || "null"); } catch (error) { /* none */ }
    if (!kept || form.querySelector("[data-error-summary]")) { forget(line); return; }
    controls(line).forEach(function (control) {
      if (/-seen$/.test(control.name)) return;
      if (control.type === "radio" || control.type === "checkbox") control.checked = kept[control.name] === control.value;
      else if (control.name in kept) control.value = kept[control.name];
    });
    changed.add(line);
  });
  if (changed.size) { say("已恢复本页上未保存的内容。"); schedule(300); }
})();
