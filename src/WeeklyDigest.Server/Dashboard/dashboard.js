// A running job's report is kept fresh; when the job is over, the page is loaded once more for its final state. Recurring jobs that run when somebody
// triggers them say so, where Hangfire calls them disabled. What Hangfire's own buttons ask for and do not get is told; they would wait for ever.
(function () {
  var wait = 1000;
  function refresh() {
    var report = document.getElementById('wd-report');
    if (!report || report.dataset.done === 'true') return;
    fetch(location.href, { credentials: 'same-origin' })
      .then(function (answer) { return answer.ok ? answer.text() : Promise.reject(answer.status); })
      .then(function (text) {
        var fresh = new DOMParser().parseFromString(text, 'text/html').getElementById('wd-report');
        if (!fresh || fresh.dataset.done === 'true') { location.reload(); return; }
        report.replaceWith(document.importNode(fresh, true));
        setTimeout(refresh, wait);
      })
      .catch(function () { setTimeout(refresh, 5 * wait); });
  }
  function nameTriggered() {
    document.querySelectorAll('.cron-badge').forEach(function (cron) {
      if (cron.textContent !== '0 0 31 2 *') return;
      cron.textContent = 'none';
      var label = cron.closest('tr').querySelector('.label');
      if (!label) return;
      label.textContent = 'when triggered';
      label.classList.remove('text-uppercase');
      label.title = 'Tick it and press Trigger now.';
    });
  }
  function tellRefusals() {
    jQuery(document).ajaxError(function (event, answer, request) {
      if (/\/stats$/.test(request.url)) return; // Hangfire tells of these itself.
      var page = new DOMParser().parseFromString(answer.responseText || '', 'text/html');
      var words = Array.from(page.querySelectorAll('main p'), function (line) { return line.textContent; }).join(' ');
      new Hangfire.ErrorAlert('', '').show();
      document.getElementById('errorAlertTitle').textContent = 'That was not done.';
      document.getElementById('errorAlertMessage').textContent = words || 'The server does not answer as it should (' + answer.status + ').';
      // Hangfire changes a button's words a moment after it was pressed.
      setTimeout(function () { jQuery('[data-ajax], .js-jobs-list-command').button('reset'); }, 200);
    });
  }
  // A job that has just been queued has no report yet.
  function start() {
    nameTriggered();
    tellRefusals();
    if (document.getElementById('wd-report')) setTimeout(refresh, wait);
    else if (/\/jobs\/details\//.test(location.pathname) && !document.querySelector('.state-card-state-success, .state-card-state-danger') && !sessionStorage.getItem('wd' + location.pathname)) {
      sessionStorage.setItem('wd' + location.pathname, '1');
      setTimeout(function () { location.reload(); }, wait);
    }
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start); else start();
})();
