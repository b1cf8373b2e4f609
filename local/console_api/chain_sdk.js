// What the Console API does with an SDL, over the package that chain_sdk.cjs has put into one script.
const members = (value) => value && typeof value === "object" ? Object.values(value) : [];
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

// What the source that the Console API runs takes and refuses otherwise than the newest version on npm.
function newer(sdl) {
  const refusals = [];
  if (!isObject(sdl)) return refusals;
  for (const profile of members(sdl.profiles?.compute)) {
    for (const volume of [].concat(profile?.resources?.storage ?? [])) {
      const given = volume?.attributes;
      if (!isObject(given)) continue;
      for (const name of ["class", "persistent"].filter((name) => !(name in given)))
        refusals.push(`Missing required field: "${name}"`);
      if (["beta1", "beta2", "beta3", "default"].includes(given.class) && ![true, "true"].includes(given.persistent))
        refusals.push(`"persistent" of class ${given.class} must be true`);
    }
    const gpu = profile?.resources?.gpu;
    if (!isObject(gpu)) continue;
    if (!("units" in gpu) && !("attributes" in gpu)) gpu.units = 0;
    const some = typeof gpu.units === "number" ? gpu.units > 0 : !/^0+([.]0+)?$/.test(gpu.units);
    if ("attributes" in gpu && !some) refusals.push("GPU attributes require units");
  }
  const tees = {};
  for (const [name, service] of isObject(sdl.services) ? Object.entries(sdl.services) : []) {
    if (!isObject(service)) continue;
    if (service.expose === null) delete service.expose;
    const params = service.params, tee = params?.tee;
    if (["cpu", "cpu-gpu"].includes(tee)) {
      for (const [placement, use] of Object.entries(sdl.deployment?.[name] ?? {})) {
        if (tee === "cpu-gpu" && !sdl.profiles?.compute?.[use?.profile]?.resources?.gpu?.units)
          refusals.push(`Service "${name}" tee type requires gpu resources.`);
        if ((tees[placement] ??= tee) !== tee) refusals.push(`conflicting tee types in "${placement}"`);
      }
      delete params.tee;
    }
    const read = params?.permissions?.read;
    if (Array.isArray(read)) params.permissions.read = read.filter((entry) => entry !== "events");
    for (const port of Array.isArray(service.expose) ? service.expose : []) {
      const size = port?.http_options?.proxy_buffer_size;
      if (Number.isInteger(size) && size >= 0 && size <= 1048576) delete port.http_options.proxy_buffer_size;
    }
  }
  const window = sdl.reclamation?.min_window;
  const plain = isObject(sdl.reclamation) && Object.keys(sdl.reclamation).length === 1;
  if (plain && typeof window === "string" && /^[1-9][0-9]*(s|m|h)$/.test(window)) delete sdl.reclamation;
  return refusals;
}

// Variables of a template, the denomination, the judgement, the manifest.
function slipwayJudge(text, asPinned) {
  try {
    text.replace(/\$\{(\w+)\}/g, (_, name) => { throw new ReferenceError(`Variable "${name}" is not provided`); });
    let sdl;
    try { sdl = chainSdk.yaml.load(text); } catch (error) { return JSON.stringify({ refusals: [`not YAML: ${error.message}`] }); }
    const document = JSON.stringify(sdl);
    const refusals = asPinned ? [] : newer(sdl);
    if (refusals.length) return JSON.stringify({ refusals });
    if (!asPinned) for (const placement of members(sdl?.profiles?.placement))
      for (const price of members(placement?.pricing)) if (isObject(price)) price.denom = "uact";
    const made = chainSdk.sdl.generateManifest(sdl, "mainnet");
    if (!made.ok) return JSON.stringify({ refusals: made.value.map((error) => error.message) });
    const manifest = chainSdk.sdl.manifestToSortedJSON(made.value.groups);
    return JSON.stringify({ manifest, sdl: JSON.parse(document) });
  } catch (error) {
    return JSON.stringify({ refusals: [String(error && error.message || error)] });
  }
}
