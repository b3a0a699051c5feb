import { inPlace } from './place.js';

/** What the screen says once all is up: where things are, and the main job in lines that can be pasted as they are. */
export function firstSteps({ api, storage, seconds }: { api: string; storage: string; seconds: string }): string {
  const facts = inPlace('demo.json');
  const read = (field: string) => `node -p 'JSON.parse(require("fs").readFileSync("${facts}")).${field}'`;
  return `
  Countersign is ready, after ${seconds} s.

    API        ${api}      (reference: ${api}/docs)
    storage    ${storage}
    facts      ${facts}    (addresses, and tokens of alice, bob, admin, auditor, operator)

  Paste this into another terminal: alice puts a file into the private bucket, and gets it out again.

    ALICE=$(${read('tokens.alice')}); KEY=users/alice/hello-$(date +%s).txt; echo "Hello from Countersign" > hello.txt
    UPLOAD=$(curl -s ${api}/upload-url -H "Authorization: Bearer $ALICE" -H 'Content-Type: application/json' -d "{\\"bucket\\":\\"demo\\",\\"key\\":\\"$KEY\\",\\"contentType\\":\\"text/plain\\",\\"contentLength\\":$(wc -c < hello.txt)}" | node -p 'const { uploadId, url } = JSON.parse(require("fs").readFileSync(0)); uploadId + " " + url')
    curl -i -T hello.txt -H 'Content-Type: text/plain' -H 'If-None-Match: *' -H 'x-amz-acl: private' -H "x-amz-meta-countersign-upload: \${UPLOAD% *}" "\${UPLOAD#* }"
    GET=$(curl -s ${api}/download-url -H "Authorization: Bearer $ALICE" -H 'Content-Type: application/json' -d "{\\"bucket\\":\\"demo\\",\\"key\\":\\"$KEY\\"}" | node -p 'JSON.parse(require("fs").readFileSync(0)).url')
    curl "$GET"

  How to take that URL back is in README.md, "Take it back". Ctrl-C stops everything; the data stays.
`;
}
