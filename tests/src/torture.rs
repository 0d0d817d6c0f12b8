//! Texts for the HCL parser, from a seed: right ones in every layout, and ones that are nearly right.

use crate::dice::Dice;

/// `count` texts: half of them are as a writer with odd habits would have them, the others have one or two of
/// their bytes or words changed.
pub fn generated(count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|n| {
        let mut writer =
            Writer { dice: Dice(n as u64), out: String::new(), words: Vec::new(), fuel: 60, odd: n % 3 };
        writer.file();
        let mut text = writer.out.clone().into_bytes();
        if writer.dice.one_in(6) {
            text = writer.out.replace('\n', "\r\n").into_bytes();
        }
        if writer.dice.one_in(25) {
            text.splice(0..0, *b"\xEF\xBB\xBF");
        }
        if n % 2 == 1 {
            for _ in 0..=writer.dice.below(2) {
                writer.spoil(&mut text);
            }
        }
        text
    })
}

struct Writer {
    dice: Dice,
    out: String,
    /// Where each word begins.
    words: Vec<usize>,
    /// How many more expressions may be written.
    fuel: usize,
    /// How odd the layout is: 0 is plain.
    odd: usize,
}

#[rustfmt::skip]
const NAMES: &[&str] = &[
    "a", "b", "tags", "_x", "a-b", "for", "in", "if", "null", "true", "each", "var", "é", "名前", "a\u{301}",
    "x1", "e5", "endif", "E", "EOT", "ＡＢ", "𝒜",
];

#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "0", "1", "08", "1.5", "1e10", "1E+5", "1e-5", "1.e3", "0.5e10",
    "12345678901234567890123456789012345678901234567890", "1e400", "3.14159",
];

#[rustfmt::skip]
const BROKEN_NUMBERS: &[&str] = &[
    "1.2.3", "10.11.10.12/32", "0x10", "1_000", ".5", "1.", "1e", "1..2", "1e5.5", "0b1", "1e99999999999",
    "1e+",
];

#[rustfmt::skip]
const SPOILERS: &[&[u8]] = &[
    b"\0", b"\x0b", b"\x0c", b"\r", b"\n", b"\r\n", b"\xEF\xBB\xBF", b"\xFF", b"\xC3", b"\"", b"\\", b"${",
    b"%{", b"}", b"{", b"(", b")", b"[", b"]", b"~", b"~}", b"'", b"`", b";", b"&", b"|", b"^", b"@", b"=",
    b"==", b"=>", b":", b"::", b"?", b",", b".", b"..", b"...", b"*", b".*", b"[*]", b"!", b"-", b"/",
    b"/*", b"*/", b"//", b"#", b"<<", b"<<EOT\n", b"\nEOT\n", b"EOT", b"$", b"%", b"$${", b"%%{", b" ",
    b"\t", b"\xC2\xA0", b"\xE2\x80\x9C", b"\\u12", b"\\x", b"for", b" if ", b" in ", b"%{ else }",
    b"%{ endif }", b"%{ if a }", b"1.2.3", b"\xC0\x80", "ࡰ".as_bytes(), "𞀰".as_bytes(),
];

impl Writer {
    fn word(&mut self, text: &str) {
        self.words.push(self.out.len());
        self.out.push_str(text);
    }

    /// White space where a newline would mean something.
    fn gap(&mut self) {
        let choices: &[&str] = match self.odd {
            0 => &[" "],
            1 => &[" ", " ", "", "\t", "  "],
            _ => &[" ", "", " /* c */ ", "/**/", "\t", " /* \n */ ", "/* \" ${ */"],
        };
        let text = self.dice.of(choices);
        self.out.push_str(text);
    }

    /// White space that keeps two names apart.
    fn apart(&mut self) {
        self.out.push(' ');
        self.gap();
    }

    /// White space inside of brackets, where newlines mean nothing.
    fn loose(&mut self) {
        if self.odd > 0 && self.dice.one_in(4) {
            let text = self.dice.of::<str>(&["\n", "\n  ", " # c\n", "// ${\n", "\n\n", " /* } */\n"]);
            self.out.push_str(text);
        } else {
            self.gap();
        }
    }

    fn space(&mut self, newlines: bool) {
        if newlines { self.gap() } else { self.loose() }
    }

    fn newline(&mut self) {
        let text = match self.odd {
            0 => "\n",
            1 => self.dice.of::<str>(&["\n", "\n\n", "  \n", "\r\n", " # comment\n"]),
            _ => self.dice.of::<str>(&[
                "\n",
                " // c\n",
                "# \u{1F600}\n",
                "\n/* a\n b */\n",
                "\n# lone \r in a comment\n",
                " \t\n",
            ]),
        };
        self.out.push_str(text);
    }

    fn name(&mut self) {
        let name = self.dice.of(NAMES);
        self.word(name);
    }

    fn file(&mut self) {
        for _ in 0..=self.dice.below(4) {
            self.statement(0);
            self.newline();
        }
        if self.dice.one_in(4) {
            self.statement(0);
        }
    }

    fn statement(&mut self, depth: usize) {
        if depth < 4 && self.dice.one_in(2) {
            self.block(depth);
        } else {
            self.argument();
        }
    }

    fn argument(&mut self) {
        // A number keeps most names of a body apart.
        let name = self.dice.of(NAMES);
        let number = self.dice.below(40);
        self.word(&format!("{name}{number}"));
        self.gap();
        self.word("=");
        self.gap();
        self.expression(0, true);
    }

    fn block(&mut self, depth: usize) {
        self.name();
        for _ in 0..self.dice.below(4) {
            self.apart();
            if self.dice.one_in(3) {
                self.name();
            } else {
                let label = self.dice.of::<str>(&[
                    "\"a\"",
                    "\"\"",
                    "\"$${b}\"",
                    "\"é\"",
                    "\"a\\n\"",
                    "\"a$\"",
                    "\"%%{\"",
                    "\"a b\"",
                ]);
                self.word(label);
            }
        }
        self.gap();
        self.word("{");
        match self.dice.below(5) {
            0 => self.gap(),
            1 => {
                self.gap();
                self.argument();
                // A heredoc's last line cannot close anything.
                self.gap();
            }
            _ => {
                self.newline();
                for _ in 0..self.dice.below(4) {
                    self.gap();
                    self.statement(depth + 1);
                    self.newline();
                }
            }
        }
        self.word("}");
    }

    fn expression(&mut self, depth: usize, newlines: bool) {
        let can_nest = depth < 6 && self.fuel > 0;
        self.fuel = self.fuel.saturating_sub(1);
        match if can_nest { self.dice.below(24) } else { self.dice.below(8) } {
            0 => {
                let number = self.dice.of(NUMBERS);
                self.word(number);
            }
            1 => {
                let word = self.dice.of::<str>(&["true", "false", "null"]);
                self.word(word);
            }
            2 => {
                let text = self.dice.of::<str>(&[
                    "\"\"",
                    "\"a\"",
                    "\"\\n\\t\\\"\\\\\"",
                    "\"\\u00e9\\U0001F600\"",
                    "\"$\"",
                    "\"$$\"",
                    "\"%\"",
                    "\"$${a}\"",
                    "\"%%{if}\"",
                    "\"a$b%c\"",
                    "\"\u{1F600}\"",
                    "\"\u{1}\"",
                    "\"\0\"",
                    "\"{}\"",
                    "\"# no\"",
                    "\"$$${a b}\"",
                ]);
                self.word(text);
            }
            3..=6 => self.name(),
            7 if self.dice.one_in(12) => {
                let number = self.dice.of(BROKEN_NUMBERS);
                self.word(number);
            }
            7 => self.word("-1"),
            8 => {
                self.word("(");
                self.loose();
                self.expression(depth + 1, false);
                self.loose();
                self.word(")");
            }
            9 | 10 => self.list("[", "]", depth),
            11 | 12 => self.object(depth),
            13 => {
                self.name();
                for _ in 0..self.dice.below(3) / 2 {
                    self.word("::");
                    self.name();
                }
                self.list("(", ")", depth);
            }
            14 | 15 => self.template(depth),
            16 => self.heredoc(depth),
            17 => {
                self.expression(depth + 1, newlines);
                self.space(newlines);
                self.word("?");
                self.space(newlines);
                self.expression(depth + 1, newlines);
                self.space(newlines);
                self.word(":");
                self.out.push(' ');
                self.expression(depth + 1, newlines);
            }
            18 => {
                let sign = self.dice.of::<str>(&["-", "!", "--", "!!", "- -"]);
                self.word(sign);
                self.expression(depth + 1, newlines);
            }
            19 => {
                self.expression(depth + 1, newlines);
                let operators = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"];
                for _ in 0..=self.dice.below(3) {
                    self.space(newlines);
                    let operator = self.dice.of(&operators);
                    self.word(operator);
                    self.out.push(' ');
                    self.space(newlines);
                    self.expression(depth + 1, newlines);
                }
            }
            20 => self.each(depth),
            21 => self.deep(),
            _ => self.traversal(depth, newlines),
        }
    }

    fn traversal(&mut self, depth: usize, newlines: bool) {
        self.name();
        let mut splat = false;
        for _ in 0..=self.dice.below(4) {
            if self.odd > 1 && self.dice.one_in(6) {
                self.space(newlines);
            }
            match self.dice.below(8) {
                0..=2 => {
                    self.word(".");
                    self.name();
                }
                3 => {
                    self.word(".0");
                    self.out.push_str(if self.dice.one_in(12) { ".1" } else { "" });
                    // Else the next step would make it a number with a point.
                    return;
                }
                4 => self.word("[*]"),
                5 if !splat || self.dice.one_in(10) => {
                    splat = true;
                    self.word(".*");
                }
                _ => {
                    splat = false;
                    self.word("[");
                    self.loose();
                    self.expression(depth + 2, false);
                    self.loose();
                    self.word("]");
                }
            }
        }
    }

    fn list(&mut self, open: &str, close: &str, depth: usize) {
        self.word(open);
        let count = self.dice.below(4);
        for n in 0..count {
            self.loose();
            self.expression(depth + 1, false);
            self.loose();
            if n + 1 < count || self.dice.one_in(4) {
                self.word(",");
            } else if open == "(" && self.dice.one_in(4) {
                self.word("...");
            }
        }
        self.loose();
        self.word(close);
    }

    fn object(&mut self, depth: usize) {
        self.word("{");
        self.loose();
        let count = self.dice.below(4);
        for n in 0..count {
            match self.dice.below(6) {
                0 => self.word("\"k\""),
                1 => self.word("(a.b)"),
                2 => self.word("1"),
                3 if n > 0 => self.expression(depth + 2, true),
                _ => self.word("key"),
            }
            self.gap();
            let sign = self.dice.of::<str>(&["=", "=", ":"]);
            self.word(sign);
            self.gap();
            self.expression(depth + 1, true);
            if n + 1 < count || self.dice.one_in(3) {
                if self.dice.one_in(2) {
                    self.word(",");
                } else {
                    self.newline();
                }
                self.loose();
            }
        }
        self.gap();
        self.word("}");
    }

    fn each(&mut self, depth: usize) {
        let object = self.dice.one_in(2);
        self.word(if object { "{" } else { "[" });
        self.loose();
        self.word("for");
        self.out.push(' ');
        self.loose();
        self.name();
        if self.dice.one_in(2) {
            self.loose();
            self.word(",");
            self.loose();
            self.name();
        }
        self.out.push(' ');
        self.loose();
        self.word("in");
        self.out.push(' ');
        self.loose();
        self.expression(depth + 1, false);
        self.loose();
        self.out.push(' ');
        self.word(":");
        self.loose();
        self.expression(depth + 1, false);
        self.loose();
        if object {
            self.word("=>");
            self.loose();
            self.expression(depth + 1, false);
            self.loose();
            if self.dice.one_in(4) {
                self.word("...");
            }
        }
        if self.dice.one_in(3) {
            self.out.push(' ');
            self.word("if");
            self.out.push(' ');
            self.expression(depth + 1, false);
        }
        self.loose();
        self.word(if object { "}" } else { "]" });
    }

    fn template(&mut self, depth: usize) {
        self.word("\"");
        self.parts(depth, false);
        self.word("\"");
    }

    fn heredoc(&mut self, depth: usize) {
        let word = self.dice.of::<str>(&["EOT", "E-T", "_", "é"]);
        let dash = self.dice.of::<str>(&["", "-"]);
        self.word(&format!("<<{dash}{word}\n"));
        for _ in 0..self.dice.below(4) {
            match self.dice.below(6) {
                0 => self.word(&format!("{word}x")),
                1 => self.word(&format!("x {word}")),
                2 if self.odd > 1 => self.word(&format!("  {word})")),
                3 => self.word("  \"\\x\" $ %"),
                _ => self.parts(depth, true),
            }
            self.out.push('\n');
        }
        let end = self.dice.of::<str>(&["", "  ", "\t"]);
        let after = self.dice.of::<str>(&["", "", "", " "]);
        self.word(&format!("{end}{word}{after}\n"));
    }

    fn parts(&mut self, depth: usize, heredoc: bool) {
        for _ in 0..=self.dice.below(3) {
            match self.dice.below(8) {
                0 | 1 => {
                    let text =
                        self.dice.of::<str>(&["text", " ", "$", "%%", "$${x}", "é", "\\n", "}", "a\u{301}"]);
                    // A sign just before a brace would say something else.
                    self.word(if heredoc || text != "$" { text } else { "$ " });
                }
                2 | 3 if self.fuel > 0 && depth < 5 => {
                    let condition =
                        self.dice.of::<str>(&["%{ if a }", "%{~ if a ~}", "%{if(a)}", "%{\nif\na\n}"]);
                    self.word(condition);
                    self.parts(depth + 2, heredoc);
                    if self.dice.one_in(2) {
                        self.word("%{ else }");
                        self.parts(depth + 2, heredoc);
                    }
                    self.word("%{ endif }");
                }
                4 if self.fuel > 0 && depth < 5 => {
                    self.word("%{ for a, b in ");
                    self.expression(depth + 2, false);
                    self.word(" }");
                    self.parts(depth + 2, heredoc);
                    self.word("%{ endfor ~}");
                }
                _ => {
                    let open = self.dice.of::<str>(&["${", "${~", "${ "]);
                    self.word(open);
                    self.loose();
                    self.expression(depth + 2, false);
                    self.loose();
                    let close = self.dice.of::<str>(&["}", "~}", " }"]);
                    self.word(close);
                }
            }
        }
    }

    /// Something deep or long.
    fn deep(&mut self) {
        if !self.dice.one_in(12) {
            self.word("a");
            return;
        }
        let depth = self.dice.of(&[&20, &63, &64, &70, &200, &3000]);
        let chain = self.dice.of(&[&100, &127, &128, &129, &500]);
        match self.dice.below(6) {
            0 => self.word(&format!("{}1{}", "(".repeat(*depth), ")".repeat(*depth))),
            1 => self.word(&format!("{}{}", "[".repeat(*depth), "]".repeat(*depth))),
            2 => self.word(&format!("{}1{}", "{a=".repeat(*depth), "}".repeat(*depth))),
            3 => self.word(&format!("a{}", " + b".repeat(*chain))),
            4 => self.word(&format!("a{}", " ? b : c".repeat(*chain))),
            _ => self.word(&format!("a{}", ".b[0]".repeat(*chain))),
        }
    }

    /// Changes a byte or a word.
    fn spoil(&mut self, text: &mut Vec<u8>) {
        let word = self.words.get(self.dice.below(self.words.len())).copied().unwrap_or(0).min(text.len());
        let byte = self.dice.below(text.len() + 1);
        let at = if self.dice.one_in(2) { word } else { byte };
        match self.dice.below(6) {
            0 => text.truncate(at),
            1 => {
                text.drain(at..text.len().min(at + 1));
            }
            2 => {
                let end = text.len().min(at + 1 + self.dice.below(12));
                text.drain(at..end);
            }
            3 => {
                let end = text.len().min(at + 1 + self.dice.below(12));
                let twice: Vec<u8> = text.get(at..end).unwrap_or_default().to_vec();
                text.splice(at..at, twice);
            }
            _ => {
                let with = self.dice.of(SPOILERS);
                text.splice(at..at, with.iter().copied());
            }
        }
    }
}

/// The bytes of a line of escapes: `\n`, `\r`, `\t`, `\\`, `\xNN`.
///
/// # Errors
/// When an escape is none of these.
pub fn unescaped(line: &str) -> anyhow::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\\') {
        out.extend(before.bytes());
        let (escape, next) = after.split_at_checked(1).unwrap_or((after, ""));
        rest = next;
        out.push(match escape {
            "n" => b'\n',
            "r" => b'\r',
            "t" => b'\t',
            "\\" => b'\\',
            "x" => {
                let (digits, next) = rest.split_at_checked(2).unwrap_or((rest, ""));
                rest = next;
                u8::from_str_radix(digits, 16)?
            }
            _ => anyhow::bail!("`\\{escape}` in `{line}`"),
        });
    }
    out.extend(rest.bytes());
    Ok(out)
}
