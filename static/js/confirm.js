/* <form data-confirm="确定退回这条记录吗？" data-confirm-ok="退回"> asks before it is sent; so does a button with data-confirm. */
(function () {
  "use strict";
  var dialog = document.getElementById("confirm-dialog");
  if (!dialog || typeof dialog.showModal !== "function") return;
  var text = document.getElementById("confirm-text");
  var ok = document.getElementById("confirm-ok");
  var title = document.getElementById("confirm-title");
  var pending = null;

  document.addEventListener("submit", function (event) {
    var form = event.target;
    var button = event.submitter;
    var asker = button && button.dataset.confirm ? button : form.dataset.confirm ? form : null;
    if (!asker || form.dataset.confirmed === "yes") {
      delete form.dataset.confirmed;
      return;
    }
    if (form.checkValidity && !form.noValidate && !form.checkValidity()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    pending = { form: form, button: button, back: document.activeElement };
    text.textContent = asker.dataset.confirm;
    title.textContent = asker.dataset.confirmTitle || "请确认";
    ok.textContent = asker.dataset.confirmOk || "确定";
    ok.classList.toggle("btn-danger", asker.dataset.confirmTone === "danger");
    ok.classList.toggle("btn-primary", asker.dataset.confirmTone !== "danger");
    dialog.returnValue = "cancel";
    dialog.showModal();
  }, true);

  dialog.addEventListener("close", function () {
    var asked = pending;
    pending = null;
    if (!asked) return;
    if (dialog.returnValue === "ok") {
      asked.form.dataset.confirmed = "yes";
      asked.form.requestSubmit(asked.button || undefined);
    } else if (asked.back && asked.back.focus) {
      asked.back.focus();
    }
  });
})();
