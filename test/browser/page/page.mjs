// A page as a product would have it: a file is chosen, and goes to the store by the client while a bar tells how far it is.
import { createCountersignClient } from '@countersign/client';

globalThis.upload = async ({ baseUrl, token, ...options }) => {
  const [file] = document.querySelector('#file').files;
  const row = document.querySelector('#uploads').insertRow();
  row.insertCell().textContent = `${file.size.toLocaleString('en')} B, ${options.mode ?? 'auto'}`;
  const bar = Object.assign(document.createElement('progress'), { max: 1, value: 0 });
  row.insertCell().append(bar);
  const state = row.insertCell();
  state.textContent = 'uploading';

  const told = [];
  const onProgress = ({ sentBytes, totalBytes }) => {
    told.push(sentBytes);
    bar.value = sentBytes / totalBytes;
  };
  try {
    const verified = await createCountersignClient({ baseUrl, token }).upload(file, { ...options, onProgress });
    state.textContent = `${verified.state}: ${verified.verified.join(', ')}`;
    return { verified, told };
  } catch (error) {
    state.textContent = String(error);
    return { error: String(error), told };
  }
};
