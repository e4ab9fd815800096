// The REST API of Workers KV, as far as the store uses it, over the binding of a namespace. It has
// no rules of its own: what a key or a ttl may be, and what is refused, is said by Workers KV.

const ROUTE = /^\/client\/v4\/accounts\/[^/]+\/storage\/kv\/namespaces\/([^/]+)\/(keys|values|bulk\/get|bulk\/delete)(?:\/(.*))?$/;
const AT_ONCE = 50;

function success(result, more = {}) {
  return Response.json({ success: true, errors: [], messages: [], result, ...more });
}

function failure(status, message) {
  return Response.json({ success: false, errors: [{ message }], result: null }, { status });
}

const routes = {
  async "GET values"(namespace, key) {
    const value = await namespace.get(key, "arrayBuffer");
    return value === null ? failure(404, "key not found") : new Response(value);
  },

  async "PUT values"(namespace, key, options, request) {
    const ttl = options.get("expiration_ttl");
    const expiration = ttl === null ? {} : { expirationTtl: Number(ttl) };
    await namespace.put(key, await request.arrayBuffer(), expiration);
    return success({});
  },

  async "DELETE values"(namespace, key) {
    await namespace.delete(key);
    return success({});
  },

  async "GET keys"(namespace, _, options) {
    const page = await namespace.list({
      prefix: options.get("prefix") ?? undefined,
      cursor: options.get("cursor") ?? undefined,
      limit: Number(options.get("limit") ?? 1000),
    });
    return success(page.keys, { result_info: { count: page.keys.length, cursor: page.cursor ?? "" } });
  },

  async "POST bulk/get"(namespace, _, __, request) {
    const { keys, type } = await request.json();
    return success({ values: Object.fromEntries(await namespace.get(keys, type)) });
  },

  async "POST bulk/delete"(namespace, _, __, request) {
    const keys = await request.json();
    for (let start = 0; start < keys.length; start += AT_ONCE) {
      await Promise.all(keys.slice(start, start + AT_ONCE).map((key) => namespace.delete(key)));
    }
    return success({ successful_key_count: keys.length, unsuccessful_keys: [] });
  },
};

export default {
  async fetch(request, { NAMESPACE, NAME }) {
    const { pathname, searchParams } = new URL(request.url);
    const [, name, kind, key = ""] = ROUTE.exec(pathname) ?? [];
    if (name !== NAME) return failure(404, "namespace not found");
    const answer = routes[`${request.method} ${kind}`];
    if (answer === undefined) return failure(405, `no ${request.method} of ${kind}`);
    try {
      return await answer(NAMESPACE, decodeURIComponent(key), searchParams, request);
    } catch (error) {
      // The binding tells the status in words: "KV PUT failed: 400 Invalid expiration_ttl of 5. …"
      return failure(Number(/ failed: (\d{3}) /.exec(error.message)?.[1] ?? 500), error.message);
    }
  },
};
