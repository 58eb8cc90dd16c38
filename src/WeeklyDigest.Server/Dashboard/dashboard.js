// A job's page is kept fresh until the job is over: its report by itself, its states by loading the page once more. Recurring jobs that run when somebody
// triggers them say so, where Hangfire calls them disabled. What Hangfire's own buttons ask for and do not get is told; they would wait for ever.
(function () {
  var wait = 1000;
  function reportOf(page) { return page.getElementById('wd-report'); }
  function isRunning(report) { return !!report && report.dataset.done !== 'true'; }
  // States come on top of those before them, and stay.
  function countStates(page) { return page.querySelectorAll('.state-card').length; }
  function isOver(page) { return !!page.querySelector('.state-card-state-success, .state-card-state-danger, .state-card-state-inactive'); }
  function hasMoved(page) {
    var before = reportOf(document), after = reportOf(page);
    return countStates(page) !== countStates(document) || !before !== !after || isRunning(before) !== isRunning(after);
  }
  function look() {
    fetch(location.href, { credentials: 'same-origin' })
      .then(function (answer) { return answer.ok ? answer.text() : Promise.reject(answer.status); })
      .then(function (text) {
        var page = new DOMParser().parseFromString(text, 'text/html'), report = reportOf(document), fresh = reportOf(page);
        if (hasMoved(page)) { location.reload(); return; }
        if (fresh && fresh.outerHTML !== report.outerHTML) report.replaceWith(document.importNode(fresh, true));
        setTimeout(look, isRunning(fresh) ? wait : 2 * wait);
      })
      .catch(function () { setTimeout(look, 5 * wait); });
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
  // What became of a press stays in a bar of its own, Hangfire's being for its statistics, until it is dismissed or something else is pressed: also when Hangfire
  // loads the page again by itself, as it does after a minute without statistics.
  var kept = 'wd-refused';
  function wordsOf(answer) {
    var page = new DOMParser().parseFromString(answer.responseText || '', 'text/html');
    var words = Array.from(page.querySelectorAll('main p'), function (line) { return line.textContent; }).join(' ');
    if (words) return ['That was not done.', words];
    if (answer.status === 401) return ['You are signed out.', 'Nothing was done, because your session has ended.', true];
    if (answer.status === 403) return ['This page is out of date.', 'Nothing was done. Reload it and try again.'];
    if (answer.status === 0) return ['The server does not answer.', 'Once it does again, look whether that was done.'];
    return ['That was not done.', 'The server does not answer as it should (' + answer.status + ').'];
  }
  function dismiss() {
    sessionStorage.removeItem(kept);
    document.getElementById('wd-refused').hidden = true;
  }
  function addBar() {
    var bar = document.createElement('div'), content = document.querySelector('.js-page-container');
    bar.id = 'wd-refused';
    bar.className = 'alert alert-danger';
    bar.setAttribute('role', 'alert');
    bar.hidden = true;
    content.prepend(bar, document.getElementById('errorAlert')); // where they lie over nothing
  }
  function tell(title, words, isSignedOut) {
    var bar = document.getElementById('wd-refused'), name = document.createElement('strong'), close = document.createElement('button');
    close.className = 'close';
    close.setAttribute('aria-label', 'Dismiss');
    close.textContent = '\u00d7';
    close.addEventListener('click', dismiss);
    name.textContent = title;
    bar.replaceChildren(close, name, ' ' + words);
    if (isSignedOut) {
      var link = document.createElement('a');
      link.className = 'alert-link';
      link.href = '/sign-in?returnUrl=' + encodeURIComponent(location.pathname + location.search);
      link.textContent = 'Sign in again';
      bar.append(' ', link, ', then try once more.');
    }
    bar.hidden = false;
  }
  // Hangfire changes a button's words a moment after it was pressed, and Bootstrap would show them as they stand in the page's source.
  function giveButtonsBack() {
    jQuery('[data-ajax], .js-jobs-list-command').each(function () {
      var button = jQuery(this), words = button.data('resetText');
      if (words) button.html(words).removeClass('disabled').prop('disabled', false).removeData('bs.button');
    });
  }
  function isPress(request) { return !/\/stats$/.test(request.url); }
  function tellRefusals() {
    addBar();
    var earlier = JSON.parse(sessionStorage.getItem(kept));
    if (earlier && earlier.page === location.href && performance.getEntriesByType('navigation')[0].type === 'reload') tell.apply(null, earlier.words);
    jQuery(document).ajaxSend(function (event, answer, request) { if (isPress(request)) dismiss(); });
    jQuery(document).ajaxError(function (event, answer, request) {
      if (!isPress(request)) return; // Hangfire tells of these itself.
      var words = wordsOf(answer);
      sessionStorage.setItem(kept, JSON.stringify({ page: location.href, words: words }));
      tell.apply(null, words);
      setTimeout(giveButtonsBack, 200);
    });
  }
  function start() {
    nameTriggered();
    tellRefusals();
    if (isRunning(reportOf(document)) || (countStates(document) > 0 && !isOver(document))) setTimeout(look, wait);
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start); else start();
})();
