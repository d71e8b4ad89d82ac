// HubSpot's own client against the pretend portal: `node hubspot.cjs URL TOKEN` prints what it saw as one JSON document.
const { Client } = require("@hubspot/api-client");

async function main(basePath, accessToken) {
  const hubspot = new Client({ accessToken, basePath, numberOfApiCallRetries: 0 });
  const crm = hubspot.crm;
  const seen = {};

  const first = await crm.deals.basicApi.getPage(2, undefined, ["dealname", "amount"]);
  const second = await crm.deals.basicApi.getPage(2, first.paging.next.after, ["dealname"]);
  const ids = [...first.results, ...second.results].map((one) => one.id);
  seen.pages = [first.results.length, new Set(ids).size, "amount" in first.results[0].properties];

  const found = await crm.contacts.searchApi.doSearch({
    filterGroups: [{ filters: [{ propertyName: "email", operator: "HAS_PROPERTY" }] }],
    properties: ["email"],
    sorts: ["hs_object_id"],
    limit: 2,
  });
  seen.search = [found.results.length, found.total >= 2];

  const made = await crm.contacts.basicApi.create({ properties: { email: "js@example.com", firstname: "Ja" } });
  const updated = await crm.contacts.batchApi.update({ inputs: [{ id: made.id, properties: { firstname: "Va" } }] });
  const read = await crm.contacts.batchApi.read({
    inputs: [{ id: made.id }, { id: "999999999999" }], properties: ["firstname"], propertiesWithHistory: [],
  });
  seen.batch = [updated.status, read.results.length, read.results[0].properties.firstname, read.numErrors];
  const upserted = await crm.contacts.batchApi.upsert({
    inputs: ["js@example.com", "new@example.com"].map((email) => ({
      idProperty: "email", id: email, properties: { email, lastname: "Upsert" },
    })),
  });
  seen.upsert = upserted.results.map((one) => one._new).sort();

  const deal = first.results[0].id;
  await crm.associations.v4.basicApi.createDefault("deals", deal, "contacts", made.id);
  const linked = await crm.associations.v4.basicApi.getPage("deals", deal, "contacts");
  seen.linked = linked.results.some((one) => String(one.toObjectId) === made.id);

  const properties = await crm.properties.coreApi.getAll("deals");
  seen.property = properties.results.find((one) => one.name === "amount").type;
  const pipelines = await crm.pipelines.pipelinesApi.getAll("deals");
  seen.pipelines = pipelines.results[0].stages.length > 1;
  const owners = await crm.owners.ownersApi.getPage(undefined, undefined, 1);
  seen.owners = [owners.results.length, typeof owners.results[0].id];
  seen.schemas = Array.isArray((await crm.schemas.coreApi.getAll()).results);

  const text = (name, more) => ({ name, label: name, type: "string", fieldType: "text", ...more });
  const schema = await crm.schemas.coreApi.create({
    name: "scores", labels: { singular: "Score", plural: "Scores" }, primaryDisplayProperty: "title",
    requiredProperties: ["key"], searchableProperties: ["title"], secondaryDisplayProperties: [], associatedObjects: [],
    properties: [text("key", { hasUniqueValue: true }), text("title", {})],
  });
  const row = { idProperty: "key", id: "a", properties: { key: "a", title: "First" } };
  for (const title of ["First", "Second"]) {
    await crm.objects.batchApi.upsert(schema.objectTypeId, { inputs: [{ ...row, properties: { key: "a", title } }] });
  }
  const scores = await crm.objects.basicApi.getPage(schema.objectTypeId, 10, undefined, ["title"]);
  seen.custom = scores.results.map((one) => one.properties.title);

  const user = (await crm.objects.basicApi.getPage("users", 1, undefined, ["hs_internal_user_id"])).results[0];
  seen.user = Number(user.properties.hs_internal_user_id) > 0 && user.properties.hs_internal_user_id !== user.id;

  const dated = await hubspot.apiRequest({
    method: "POST", path: "/crm/associations/2026-09/deals/contacts/batch/read", body: { inputs: [{ id: "99" }] },
  });
  seen.dated = [dated.status, (await dated.json()).errors[0].subCategory];
  const told = await (await hubspot.apiRequest({ path: "/account-info/2026-09/details" })).json();
  seen.account = told.timeZone;

  await crm.contacts.basicApi.archive(made.id);
  seen.errors = [];
  for (const wrong of [
    () => crm.contacts.basicApi.getById(made.id),
    () => crm.contacts.basicApi.create({ properties: { no_such_property: "1" } }),
    () => new Client({ accessToken: "nobody", basePath, numberOfApiCallRetries: 0 }).crm.deals.basicApi.getPage(1),
  ]) {
    seen.errors.push(await wrong().then(() => null, (error) => [error.code, error.body.category]));
  }
  return seen;
}

main(process.argv[2], process.argv[3]).then(
  (seen) => console.log(JSON.stringify(seen)),
  (error) => { console.error(error); process.exit(1); },
);
