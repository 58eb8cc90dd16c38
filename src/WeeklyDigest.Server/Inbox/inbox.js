// Keys: j and k walk through the list, u goes back to it; h, t, e, s choose a view; n, w, f a width; d, l the colours.
(() => {
  const looks = { h: 'html', t: 'text', e: 'headers', s: 'source', n: 'narrow', w: 'wide', f: 'full', d: 'dark', l: 'light' };
  const walk = step => {
    const items = [...document.querySelectorAll('.messages a')];
    const at = items.indexOf(document.activeElement);
    items[Math.min(Math.max(at + step, 0), items.length - 1)]?.focus();
  };
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select')) return;
    if (event.key === 'j') walk(1);
    else if (event.key === 'k') walk(-1);
    else if (event.key === 'u') document.querySelector('a[rel=up]')?.click();
    else if (looks[event.key]) document.querySelector(`a[data-look=${looks[event.key]}]`)?.click();
  });
})();
