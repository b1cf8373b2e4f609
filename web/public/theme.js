// Before the first paint, so that a dark page never flashes white. A file of its own, because the content security
// policy allows no inline scripts.
(() => {
  let wanted = "system";
  try {
    wanted = localStorage.getItem("slipway.theme") || "system";
  } catch {
    // A browser that keeps nothing gets the system's choice.
  }
  const dark = wanted === "dark" || (wanted === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
