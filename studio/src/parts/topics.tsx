/** @file Headings of the documents, to ask about at first. */
import { linkTo } from "../route.js";

export function Topics({ topics }: { readonly topics: readonly string[] }) {
  if (topics.length === 0) return null;
  return (
    <ul class="topics" aria-label="Headings of these documents, to start with">
      {topics.map((topic) => (
        <li key={topic}>
          <a href={linkTo("ask", { question: topic })}>{topic}</a>
        </li>
      ))}
    </ul>
  );
}
