// Written by tools/make_phone.py, never by hand.
self.SHELL = {
 "version": "deckwatch-0b0137dcc3ed",
 "files": [
  "./",
  "advice.de.json",
  "advice.en.json",
  "alerts.js",
  "app.js",
  "cells.js",
  "codec.js",
  "commands.js",
  "dom.js",
  "icon-192.png",
  "icon-512.png",
  "icon.svg",
  "index.html",
  "lacking.js",
  "link.js",
  "log.js",
  "manifest.webmanifest",
  "more.js",
  "owner.js",
  "pack.js",
  "queue.js",
  "scan.js",
  "settings.js",
  "style.css",
  "tables.js",
  "words.de.js",
  "words.en.js",
  "words.js"
 ]
};
