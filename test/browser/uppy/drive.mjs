// What the test does with the page's Uppy, which is the one that docs/uppy.md configures.

/** Uploads the file that is chosen, and says what Uppy says of it. */
export async function upload(uppy, meta = {}) {
  const [data] = document.querySelector('#file').files;
  const id = uppy.addFile({ name: data.name, type: data.type, data, meta });
  await uppy.upload();
  return outcomeOf(uppy, id);
}

/** The file that failed last, as the Dashboard's button does it. */
export async function retry(uppy) {
  const { id } = uppy.getFiles().findLast(({ error }) => error);
  await uppy.retryUpload(id);
  return outcomeOf(uppy, id);
}

/** Null of a file that was taken away. */
function outcomeOf(uppy, id) {
  const file = uppy.getFile(id);
  if (!file) return null;
  const { name, progress, response, error = null } = file;
  const line = document.createElement('li');
  line.textContent = `${name}: ${error ?? 'done'}`;
  document.querySelector('#done').append(line);
  const isDone = progress.uploadComplete === true;
  const { uploadURL = null, body = null } = response ?? {};
  return { isDone, percentage: progress.percentage, error, uploadURL, body };
}
