//! The documents of `assets/docs` as manual pages. Only the forms of Markdown that they use are known.

use super::roff::Roff;

/// What the lines of a block are.
enum Block {
    None,
    Paragraph(String),
    Item(String, String),
    Code(Vec<String>),
    Table(Vec<Vec<String>>),
}

/// Adds a document to a page; its title is left out.
pub(super) fn add(roff: &mut Roff, markdown: &str) {
    let mut block = Block::None;
    for line in markdown.lines() {
        if let Block::Code(lines) = &mut block {
            if line.starts_with("```") {
                end(roff, std::mem::replace(&mut block, Block::None));
            } else {
                lines.push(line.to_owned());
            }
            continue;
        }
        let heading = line.trim_start_matches('#');
        let level = line.len() - heading.len();
        let item = line.strip_prefix("* ").or_else(|| line.strip_prefix("- "));
        let numbered = line.split_once(". ").filter(|(number, _)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        match () {
            () if line.trim().is_empty() || line.starts_with("<!--") || line.starts_with("![") => {
                end(roff, std::mem::replace(&mut block, Block::None));
            }
            () if line.starts_with("```") => {
                end(roff, std::mem::replace(&mut block, Block::Code(Vec::new())));
            }
            () if level > 0 && heading.starts_with(' ') => {
                end(roff, std::mem::replace(&mut block, Block::None));
                match level {
                    1 => {}
                    2 => roff.section(heading.trim()),
                    _ => roff.subsection(heading.trim()),
                }
            }
            () if line.starts_with('|') => {
                if !matches!(block, Block::Table(_)) {
                    end(roff, std::mem::replace(&mut block, Block::Table(Vec::new())));
                }
                if let Block::Table(rows) = &mut block {
                    rows.push(cells(line));
                }
            }
            () if item.is_some() || numbered.is_some() => {
                let (mark, words) = match (item, numbered) {
                    (Some(words), _) => ("*".to_owned(), words.to_owned()),
                    (None, Some((number, words))) => (format!("{number}."), words.to_owned()),
                    (None, None) => continue,
                };
                end(roff, std::mem::replace(&mut block, Block::Item(mark, words)));
            }
            () => match &mut block {
                Block::Paragraph(words) | Block::Item(_, words) => {
                    words.push(' ');
                    words.push_str(line.trim());
                }
                _ => {
                    let next = Block::Paragraph(line.trim().to_owned());
                    end(roff, std::mem::replace(&mut block, next));
                }
            },
        }
    }
    end(roff, block);
}

/// The cells of a row. A bar in a cell is written `\|`.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|');
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    let marked = inner.replace("\\|", "\u{1}");
    marked.split('|').map(|cell| cell.trim().replace('\u{1}', "\\|")).collect()
}

fn end(roff: &mut Roff, block: Block) {
    match block {
        Block::None => {}
        Block::Paragraph(words) => roff.paragraph(&words),
        Block::Item(mark, words) => roff.item(&mark, &words),
        Block::Code(lines) => {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            roff.literal(&lines);
        }
        Block::Table(rows) => table(roff, &rows),
    }
}

/// A table as a list of terms: the first cell, and the others, with their headings where they are several.
fn table(roff: &mut Roff, rows: &[Vec<String>]) {
    let Some((head, rows)) = rows.split_first() else { return };
    for row in
        rows.iter().filter(|row| !row.iter().all(|cell| cell.trim_matches(['-', ':']).is_empty()))
    {
        let Some((first, others)) = row.split_first() else { continue };
        let words: Vec<String> = match others {
            [only] => vec![only.clone()],
            others => {
                let named = head.iter().skip(1).zip(others).filter(|(_, cell)| !cell.is_empty());
                named.map(|(name, cell)| format!("{name}: {cell}")).collect()
            }
        };
        roff.term(&first.replace("**", ""), &words.join("; "));
    }
}
