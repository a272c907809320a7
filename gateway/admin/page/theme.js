// Dark or light, before anything is drawn: as the machine has it, or as somebody chose here. The only script that is no module, for
// modules run too late for that.
(() => {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const chosen = () => {
    try { return localStorage.getItem('dfota.theme'); } catch { return null; }
  };
  const apply = () => { document.documentElement.dataset.theme = chosen() ?? (dark.matches ? 'dark' : 'light'); };
  dark.addEventListener('change', apply);
  apply();
  // Chosen is what differs from the machine's; the same as the machine's follows it again.
  window.dfotaSwitchTheme = () => {
    const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    try {
      if ((next === 'dark') === dark.matches) localStorage.removeItem('dfota.theme');
      else localStorage.setItem('dfota.theme', next);
    } catch { /* a browser that keeps nothing: it holds until the page goes */ }
    document.documentElement.dataset.theme = next;
  };
})();
