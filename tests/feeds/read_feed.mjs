// Reads a feed from stdin with two libraries; prints title, link and date of each entry as JSON.

import { text } from 'node:stream/consumers';
import { parseFeed } from 'feedsmith';
import Parser from 'rss-parser';

const xml = await text(process.stdin);
const parsed = await new Parser().parseString(xml);
const { format, feed } = parseFeed(xml);
console.log(
  JSON.stringify({
    'rss-parser': {
      title: parsed.title,
      entries: parsed.items.map(({ title, link, isoDate, summary }) => [title, link, isoDate, summary]),
    },
    feedsmith: {
      format,
      title: feed.title.value,
      entries: feed.entries.map(({ title, links, published, updated, summary }) => [
        title.value,
        links.find(({ rel }) => rel === 'alternate').href,
        new Date(published).getTime() === new Date(updated).getTime() && new Date(updated).toISOString(),
        summary.value,
      ]),
    },
  }),
);
