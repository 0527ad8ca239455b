"use strict";
// Finding text: a letter is found with exactly the marks that were typed, whichever way either text encodes them,
// unless the reader asks for letters without regard to marks and capitals, or for the very same code points.

const ONLY_MARKS = /^\p{M}+$/u;
const STARTS_WITH_MARK = /^\p{M}/u;
const TIED_BEFORE = /[\u035c-\u0362]$/u; // a mark over two letters: what follows is the second half of one
// Marks that diacritics and tones are written with; vowel signs of other scripts are letters of their own.
const LOOSE_MARK = /(?=\p{M})[\p{sc=Inherited}\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{sc=Hebrew}\p{sc=Arabic}]/gu;
const TONE_LETTERS = /[\u02e5-\u02e9\ua700-\ua721\u00b9\u00b2\u00b3\u2070\u2074-\u2079]/gu;

function withoutMarks(text) {
  const letters = text.normalize("NFD").replace(LOOSE_MARK, "").replace(TONE_LETTERS, "");
  return letters.normalize("NFC").toLowerCase();
}

// How texts are folded before they are compared, by what the reader chose.
const FOLDS = { marks: (text) => text.normalize("NFC"), letters: withoutMarks, exact: (text) => text };

function holdsWhole(text, sought) {
  for (let at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + 1)) {
    const after = text.slice(at + sought.length, at + sought.length + 2);
    if (!STARTS_WITH_MARK.test(after) && !TIED_BEFORE.test(text.slice(0, at))) return true;
  }
  return false;
}

// Return a function that tells whether a text holds `sought`; a space in it also stands for the ends of the text.
function makeFinder(sought, how) {
  if (how === "marks" && ONLY_MARKS.test(sought)) {
    const marks = sought.normalize("NFD");
    return (text) => text.normalize("NFD").includes(marks);
  }
  const folded = FOLDS[how](sought);
  if (!folded.trim()) return () => false; // nothing but marks, and marks do not count
  return how === "marks"
    ? (text) => holdsWhole(` ${FOLDS.marks(text)} `, folded)
    : (text) => ` ${FOLDS[how](text)} `.includes(folded);
}
