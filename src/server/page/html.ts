/** @file The page's markup. It holds no facts and no text of others: the script fills it by `textContent`. */

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Cpath fill='%232a7f8e' " +
  "d='M0 0h3v3H0zM5 5h3v3H5z'/%3E%3Cpath fill='%23d08a2e' d='M4 0h4v4H4zM0 4h4v4H0z'/%3E%3C/svg%3E";

export const pageHtml = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tessera</title>
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="/page.css">
<script type="module" src="/page.js"></script>
</head>
<body>
<header>
<h1><span class="tiles" aria-hidden="true"></span><span id="folder">Tessera</span></h1>
<p class="quiet">This page talks to the server it came from, and to nobody else.</p>
</header>
<main>
<form id="ask" role="search">
<label for="question">Ask the documents</label>
<div class="row">
<input id="question" type="search" maxlength="2000" autocomplete="off" enterkeyhint="search" autofocus
 placeholder="A question, or a few words">
<button id="submit" disabled>Ask</button>
</div>
<noscript><p class="alert">This page needs JavaScript; its only script comes from this server.
Without it, POST to /api/search.</p></noscript>
</form>
<p id="failure" class="alert" role="alert" hidden></p>

<section id="welcome" aria-labelledby="welcome-title" hidden>
<h2 id="welcome-title">What is here</h2>
<dl id="summary"></dl>
<p id="origin" class="quiet"></p>
<div id="topics" hidden>
<h3 id="topics-title">Headings of these documents, to start with</h3>
<ul id="topic-list" aria-labelledby="topics-title"></ul>
</div>
</section>

<div id="answers" hidden>
<section id="passages" aria-labelledby="passages-title">
<h2 id="passages-title">Passages</h2>
<p id="found" class="quiet" role="status"></p>
<a class="jump" href="#written">To the text of the model</a>
<ol id="passage-list"></ol>
</section>
<section id="written" aria-labelledby="written-title">
<h2 id="written-title">Text of the model</h2>
<p id="caution" class="caution"></p>
<dl id="card"></dl>
<p class="row"><button id="again" type="button">Stop</button> <span id="counts" class="quiet" role="status"></span></p>
<p id="text" dir="auto" aria-live="polite"><span id="prompt"></span><span id="continuation"></span></p>
<p id="text-failure" class="alert" role="alert" hidden></p>
</section>
</div>
</main>
<dialog id="document" aria-labelledby="document-path">
<header>
<div>
<h2 id="document-path" dir="auto"></h2>
<p id="document-place" class="quiet"></p>
</div>
<button id="document-close" type="button">Close</button>
</header>
<p id="document-failure" class="alert" role="alert" hidden></p>
<pre id="document-text" dir="auto" tabindex="0" role="region" aria-labelledby="document-path"></pre>
</dialog>
</body>
</html>
`;
