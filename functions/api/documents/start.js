// Beside the page rather than in it: the page's policy lets no script in that stands in a document.
const root = document.getElementById('document');
const NAMES = { servers: 'Server', 'examples-select-element': 'Example', 'content-type': 'Media type' };

// What the library leaves out for screen readers and keyboards, whenever it draws.
function mend() {
  for (const select of root.querySelectorAll('select:not([aria-label])')) {
    const key = select.id in NAMES ? select.id : [...select.classList].find((name) => name in NAMES);
    select.setAttribute('aria-label', NAMES[key] ?? 'Choice');
  }
  // A button may hold nothing else to stop at; it opens what the link within it names.
  for (const link of root.querySelectorAll('button a[href]')) link.removeAttribute('href');
  for (const heading of root.querySelectorAll('h3.opblock-tag:not([aria-level])')) heading.setAttribute('aria-level', '2');
  for (const table of root.querySelectorAll('table[role=region]')) table.removeAttribute('role');
  // Long examples scroll.
  for (const example of root.querySelectorAll('pre.microlight:not([tabindex])')) example.tabIndex = 0;
}
new MutationObserver(mend).observe(root, { childList: true, subtree: true });

SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#document',
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: false,
  validatorUrl: 'none',
});
