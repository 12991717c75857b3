//! Indented source text.

/// Collects the lines of a Rust source.
#[derive(Debug, Default)]
pub(crate) struct Code {
    text: String,
    depth: usize,
}

impl Code {
    /// Adds a line at the present depth.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if !line.is_empty() {
            self.text.extend(std::iter::repeat_n("    ", self.depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// Adds lines; those of `lines` that are indented stay so relative to the present depth.
    pub(crate) fn lines(&mut self, lines: &str) {
        for line in lines.lines() {
            self.line(line);
        }
    }

    /// Separates two items.
    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// Adds a line and everything that `inside` adds one level deeper, and closes the brace that the line opened.
    pub(crate) fn block(&mut self, line: impl AsRef<str>, inside: impl FnOnce(&mut Self)) {
        self.enclose(line, "}", inside);
    }

    /// A block that is the value of a declaration, and so ends with a semicolon.
    pub(crate) fn statement(&mut self, line: impl AsRef<str>, inside: impl FnOnce(&mut Self)) {
        self.enclose(line, "};", inside);
    }

    /// A block that ends with `close`.
    pub(crate) fn enclose(
        &mut self,
        line: impl AsRef<str>,
        close: &str,
        inside: impl FnOnce(&mut Self),
    ) {
        let line = line.as_ref();
        let before = self.text.len();
        self.line(format!("{line} {{"));
        let opened = self.text.len();
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        if self.text.len() == opened {
            self.text.truncate(before);
            self.line(format!("{line} {{{close}"));
        } else {
            self.line(close);
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_indented() {
        let mut code = Code::default();
        code.block("mod a", |code| {
            code.line("use b;");
            code.blank();
            code.block("struct C", |_| {});
            code.lines("fn d() {\n    e();\n}");
        });
        assert_eq!(
            code.into_text(),
            "mod a {\n    use b;\n\n    struct C {}\n    fn d() {\n        e();\n    }\n}\n"
        );
    }
}
