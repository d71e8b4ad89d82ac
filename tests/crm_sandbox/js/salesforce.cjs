// jsforce against the pretend Salesforce: `node salesforce.cjs URL TOKEN` prints what it saw as one JSON document.
const jsforce = require("jsforce");

async function main(instanceUrl, accessToken) {
  const conn = new jsforce.Connection({ instanceUrl, accessToken, version: "66.0" });
  const seen = {};

  const first = await conn.query("SELECT Id, Subject FROM Task ORDER BY Id");
  const more = await conn.queryMore(first.nextRecordsUrl);
  seen.pages = [first.records.length, more.records.length, first.totalSize];
  const ids = new Set([...first.records, ...more.records].map((row) => row.Id));
  seen.distinct = ids.size;

  const lead = await conn.sobject("Lead").describe();
  seen.company = lead.fields.find((field) => field.name === "Company").type;
  seen.objects = (await conn.describeGlobal()).sobjects.some((one) => one.name === "Kpi__c");

  const owner = (await conn.query("SELECT Id FROM User WHERE IsActive = true LIMIT 1")).records[0].Id;
  const kpi = (n, value) => ({ Key__c: `js:${n}`, Value__c: value, Rep__c: owner });
  const made = await conn.sobject("Kpi__c").upsert([kpi(1, 1), kpi(2, 2), kpi(3, 3)], "Key__c");
  const again = await conn.sobject("Kpi__c").upsert([kpi(1, 10), kpi(2, 2)], "Key__c");
  seen.upserts = [made.map((one) => one.created), again.map((one) => one.created)];
  const one = await conn.sobject("Kpi__c").upsert({ Key__c: "js:4", Value__c: 4 }, "Key__c");
  seen.single = [one.success, one.created];

  const several = await conn.sobject("Lead").create([
    { LastName: "First", Company: "Firm" },
    { LastName: "Second" }, // a lead needs a company
  ], { allOrNone: false });
  seen.created = several.map((row) => [row.success, row.success ? null : row.errors[0].statusCode]);
  const changed = await conn.sobject("Lead").update({ Id: several[0].id, Company: "Other" });
  const read = await conn.sobject("Lead").retrieve(several[0].id);
  seen.changed = [changed.success, read.Company];
  seen.gone = (await conn.sobject("Lead").destroy(several[0].id)).success;

  conn.bulk2.pollInterval = 20;
  conn.bulk2.pollTimeout = 20000;
  const rows = [];
  const stream = await conn.bulk2.query("SELECT Id, Subject FROM Task");
  for await (const row of stream) rows.push(row);
  seen.bulkQuery = [rows.length, Object.keys(rows[0]).sort()];
  const ingested = await conn.bulk2.loadAndWaitForResults({
    object: "Kpi__c",
    operation: "upsert",
    externalIdFieldName: "Key__c",
    input: [kpi(1, 11), kpi(5, 5), { ...kpi(6, 6), Value__c: "not a number" }],
  });
  seen.bulkIngest = [ingested.successfulResults.length, ingested.failedResults.length, ingested.unprocessedRecords.length];
  seen.value = (await conn.query("SELECT Value__c FROM Kpi__c WHERE Key__c = 'js:1'")).records[0].Value__c;

  seen.errors = [];
  for (const wrong of [
    () => conn.query("SELECT Nothing FROM Lead"),
    () => conn.query("SELECT Id FROM Nowhere"),
    () => conn.sobject("Lead").retrieve("00Q000000000000AAA"),
  ]) {
    try {
      await wrong();
      seen.errors.push(null);
    } catch (error) {
      seen.errors.push(error.errorCode || error.name);
    }
  }
  const stranger = new jsforce.Connection({ instanceUrl, accessToken: "nobody", version: "66.0" });
  seen.stranger = await stranger.query("SELECT Id FROM Lead").then(() => null, (error) => error.errorCode);
  return seen;
}

main(process.argv[2], process.argv[3]).then(
  (seen) => console.log(JSON.stringify(seen)),
  (error) => { console.error(error); process.exit(1); },
);
