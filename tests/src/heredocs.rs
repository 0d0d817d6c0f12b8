//! Heredocs with directives, indentation and strip markers in every mixture, from a fixed seed.

use crate::dice::Dice;

/// `count` heredocs.
#[must_use]
pub fn heredocs(count: usize) -> Vec<String> {
    let mut writer = Writer { dice: Dice(20_260_301), out: String::new(), line_start: true };
    (0..count).map(|_| writer.heredoc()).collect()
}

struct Writer {
    dice: Dice,
    out: String,
    line_start: bool,
}

const INDENTATIONS: &[&str] = &["", "", "  ", "  ", "    ", "    ", "      ", "\t", " \t", "\u{a0} "];
const WORDS: &[&str] =
    &["a", "item", "é", "b c", "$5", "100%", "$${x}", "%%{ y }", "EOTX", "x EOT", "\"q\"", "\\n"];
const VALUES: &[&str] =
    &["1", "\"v\"", "\"  v\"", "\"two\\nlines\"", "true ? 2 : 3", "join(\"-\", [1, 2])", "\"\""];
const LISTS: &[&str] = &["[\"a\", \"b\"]", "[1, 2, 3]", "[]", "[\"  x\"]"];

impl Writer {
    fn heredoc(&mut self) -> String {
        self.out.clear();
        self.out.push_str(if self.dice.one_in(4) { "<<EOT\n" } else { "<<-EOT\n" });
        self.line_start = true;
        self.lines(3);
        if !self.line_start {
            self.newline();
        }
        let indentation = self.dice.of(INDENTATIONS);
        format!("{}{indentation}EOT", self.out)
    }

    /// Some lines, or parts of them.
    fn lines(&mut self, depth: usize) {
        for _ in 0..=self.dice.below(4) {
            if self.line_start {
                let indentation = self.dice.of(INDENTATIONS);
                self.out.push_str(indentation);
                self.line_start = indentation.is_empty();
            }
            match self.dice.below(10) {
                0 => {}
                1..=3 => self.word(),
                4 | 5 => self.value(),
                6 | 7 if depth > 0 => self.choice(depth - 1),
                8 if depth > 0 => self.rounds(depth - 1),
                _ => {
                    self.word();
                    self.value();
                    self.word();
                }
            }
            if !self.dice.one_in(5) {
                let after = self.dice.of(&["", "", "", "  ", "\t"]);
                self.out.push_str(after);
                self.newline();
            }
        }
    }

    fn newline(&mut self) {
        self.out.push('\n');
        self.line_start = true;
    }

    fn word(&mut self) {
        let word = self.dice.of(WORDS);
        // The end of the heredoc is not to be written by chance.
        self.out.push_str(if self.line_start && word.starts_with("EOT") { "word" } else { word });
        self.line_start = false;
    }

    fn value(&mut self) {
        let value = self.dice.of(VALUES);
        self.sequence('$', value);
    }

    fn choice(&mut self, depth: usize) {
        let condition = self.dice.of(&["if true", "if false", "if 1 == 1"]);
        self.sequence('%', condition);
        self.inner(depth);
        if self.dice.one_in(2) {
            self.sequence('%', "else");
            self.inner(depth);
        }
        self.sequence('%', "endif");
    }

    fn rounds(&mut self, depth: usize) {
        let list = self.dice.of(LISTS);
        self.sequence('%', &format!("for v in {list}"));
        self.inner(depth);
        if self.dice.one_in(2) {
            self.sequence('$', "v");
        }
        self.sequence('%', "endfor");
    }

    fn inner(&mut self, depth: usize) {
        if self.dice.one_in(2) {
            self.newline();
        }
        self.lines(depth);
        if self.line_start {
            let indentation = self.dice.of(INDENTATIONS);
            self.out.push_str(indentation);
        }
    }

    /// `${ … }` or `%{ … }`, with or without strip markers.
    fn sequence(&mut self, sign: char, text: &str) {
        let (before, after) = (self.dice.of(&["", "", "~"]), self.dice.of(&["", "", "~"]));
        self.out.push_str(&format!("{sign}{{{before} {text} {after}}}"));
        self.line_start = false;
    }
}
