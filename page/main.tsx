import { render } from 'preact';
import { App } from './app.js';
import { loadModel } from './model.js';

const root = document.getElementById('app');
if (root !== null) {
  loadModel().then(
    (model) => {
      root.replaceChildren();
      render(<App model={model} />, root);
    },
    (error: unknown) => {
      root.replaceChildren();
      render(<Failure reason={error instanceof Error ? error.message : String(error)} />, root);
    },
  );
}

function Failure({ reason }: { reason: string }) {
  return (
    <main>
      <h1>This report cannot be shown</h1>
      <p role="alert">{reason}</p>
      <p>Get the file again, or open it in a newer browser: Chrome 80, Firefox 113 or Safari 16.4.</p>
    </main>
  );
}
