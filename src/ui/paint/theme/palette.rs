//! The colours of each theme, for each depth of colour that a terminal can show.
//!
//! A role is a name such as `danger`; nothing outside this folder names a colour. Red (in `colourblind` its
//! orange) means death or refusal and nothing else.

use ratatui::style::{Color, Modifier, Style};

use crate::app::setup::ThemeName;
use crate::ui::paint::theme::depth::ColourDepth;

/// The style of each role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Something goes wrong now; the process that dies next.
    pub danger: Style,
    /// Something needs care.
    pub warn: Style,
    /// Something is as it should be.
    pub good: Style,
    /// Secondary text.
    pub dim: Style,
    /// The label before a value.
    pub label: Style,
    /// Tags, and other marks of the user's choices.
    pub tag: Style,
    /// A frame.
    pub frame: Style,
    /// The frame of the headline while no death is near.
    pub calm_frame: Style,
    /// Column headings.
    pub head: Style,
    /// The heading of the column that the table is sorted by.
    pub sorted_head: Style,
    /// The name of a key in the function bar.
    pub key: Style,
    /// What that key does.
    pub key_label: Style,
    /// The row under the cursor.
    pub selected: Style,
    /// The same, where it is the process that dies next.
    pub selected_victim: Style,
    /// A message that covers a whole line: a kill.
    pub banner: Style,
    /// The parts of badness: memory, swap, adj.
    pub badness: [Style; 3],
}

/// A role whose colour the user may choose.
pub struct ColourRole {
    /// Its name in the configuration.
    pub name: &'static str,
    /// What it colours, in one line.
    pub about: &'static str,
    set: fn(&mut Palette, Color),
}

/// The colour of a role.
#[derive(Clone, Copy)]
pub struct RoleColour {
    /// The role.
    pub role: &'static ColourRole,
    /// Its colour.
    pub colour: Color,
}

const fn role(name: &'static str, about: &'static str, set: fn(&mut Palette, Color)) -> ColourRole {
    ColourRole { name, about, set }
}

/// Every role whose colour the user may choose.
pub const ROLES: &[ColourRole] = &[
    role("danger", "a problem now; the process that dies next", |it, colour| {
        it.danger = it.danger.fg(colour);
    }),
    role("warn", "warnings", |it, colour| it.warn = it.warn.fg(colour)),
    role("good", "what is as it should be", |it, colour| it.good = it.good.fg(colour)),
    role("dim", "secondary text", |it, colour| {
        it.dim = it.dim.fg(colour).remove_modifier(Modifier::DIM);
    }),
    role("label", "the label before a value", |it, colour| it.label = it.label.fg(colour)),
    role("tag", "tags and other choices", |it, colour| it.tag = it.tag.fg(colour)),
    role("frame", "frames", |it, colour| {
        it.frame = it.frame.fg(colour).remove_modifier(Modifier::DIM);
    }),
    role("calm_frame", "the frame of the headline while no death is near", |it, colour| {
        it.calm_frame = it.calm_frame.fg(colour);
    }),
    role("head", "column headings", |it, colour| it.head = it.head.fg(colour)),
    role("sorted_head", "the heading of the column that the table is sorted by", |it, colour| {
        it.sorted_head = it.sorted_head.fg(colour);
    }),
    role("key", "the name of a key in the function bar", |it, colour| it.key = it.key.fg(colour)),
    role("key_label", "what that key does", |it, colour| it.key_label = it.key_label.fg(colour)),
    role("selected", "background of the selected row", |it, colour| {
        it.selected = it.selected.bg(colour);
    }),
    role("selected_victim", "the same, where it is the process that dies next", |it, colour| {
        it.selected_victim = it.selected_victim.bg(colour);
    }),
    role("banner", "background of the kill banner", |it, colour| it.banner = it.banner.bg(colour)),
    role("memory", "memory in the badness bar", |it, colour| {
        it.badness[0] = it.badness[0].fg(colour);
    }),
    role("swap", "swap in the badness bar", |it, colour| it.badness[1] = it.badness[1].fg(colour)),
    role("adj", "adj in the badness bar", |it, colour| it.badness[2] = it.badness[2].fg(colour)),
];

impl Palette {
    /// The palette with these colours, as far as a terminal of this depth shows them: what it cannot show stays
    /// as the theme has it.
    #[must_use]
    pub fn with(&self, colours: &[RoleColour], depth: ColourDepth) -> Self {
        let mut palette = self.clone();
        let is_shown = |colour: &Color| match (colour, depth) {
            (_, ColourDepth::Mono) | (Color::Rgb(..), ColourDepth::Ansi | ColourDepth::Indexed) => {
                false
            }
            (Color::Indexed(index), ColourDepth::Ansi) => *index < 16,
            _ => true,
        };
        for RoleColour { role, colour } in colours.iter().filter(|it| is_shown(&it.colour)) {
            (role.set)(&mut palette, *colour);
        }
        palette
    }
}

/// The colours that the styles of a palette are made from.
struct Colours {
    danger: Color,
    warn: Color,
    good: Color,
    /// The terminal's own dim text where there is none.
    dim: Option<Color>,
    label: Color,
    tag: Color,
    /// Dim text's own where there is none.
    frame: Option<Color>,
    calm_frame: Color,
    /// Text over the background of the terminal, above a line.
    head: Color,
    sorted_head: Color,
    key: Color,
    key_label: Color,
    /// A ground under text that keeps its colours, or text and ground.
    selected: (Option<Color>, Color),
    selected_victim: (Color, Color),
    banner: (Color, Color),
    badness: [Color; 3],
}

const fn on((text, ground): (Color, Color)) -> Style {
    Style::new().fg(text).bg(ground)
}

impl Colours {
    const fn palette(&self) -> Palette {
        let plain = Style::new();
        let selected = match self.selected {
            // Dim text would be unreadable on the ground.
            (Some(text), ground) => on((text, ground)).remove_modifier(Modifier::DIM),
            (None, ground) => plain.bg(ground),
        };
        let [memory, swap, adj] = self.badness;
        Palette {
            danger: plain.fg(self.danger).add_modifier(Modifier::BOLD),
            warn: plain.fg(self.warn),
            good: plain.fg(self.good),
            dim: match self.dim {
                Some(colour) => plain.fg(colour),
                None => plain.add_modifier(Modifier::DIM),
            },
            label: plain.fg(self.label),
            tag: plain.fg(self.tag).add_modifier(Modifier::BOLD),
            frame: match self.frame {
                Some(colour) => plain.fg(colour),
                None => plain.add_modifier(Modifier::DIM),
            },
            calm_frame: plain.fg(self.calm_frame),
            head: plain.fg(self.head).add_modifier(Modifier::UNDERLINED),
            sorted_head: plain
                .fg(self.sorted_head)
                .add_modifier(Modifier::UNDERLINED.union(Modifier::BOLD)),
            key: plain.fg(self.key),
            key_label: plain.fg(self.key_label),
            selected,
            selected_victim: on(self.selected_victim)
                .add_modifier(Modifier::BOLD)
                .remove_modifier(Modifier::DIM),
            banner: on(self.banner).add_modifier(Modifier::BOLD),
            badness: [plain.fg(memory), plain.fg(swap), plain.fg(adj)],
        }
    }
}

/// A colour as six hexadecimal digits.
const fn rgb(hex: u32) -> Color {
    let [_, red, green, blue] = hex.to_be_bytes();
    Color::Rgb(red, green, blue)
}

/// A colour of the 256, fixed in every terminal from 16 on.
const fn nth(index: u8) -> Color {
    Color::Indexed(index)
}

/// The 16 colours as the terminal has them, over its own background.
static TERMINAL: Palette = Colours {
    danger: Color::LightRed,
    warn: Color::Yellow,
    good: Color::Green,
    dim: None,
    label: Color::Cyan,
    tag: Color::LightMagenta,
    frame: None,
    calm_frame: Color::Green,
    head: Color::Reset,
    sorted_head: Color::Cyan,
    key: Color::Cyan,
    key_label: Color::Reset,
    selected: (Some(Color::Black), Color::Cyan),
    selected_victim: (Color::White, Color::Red),
    banner: (Color::White, Color::Red),
    badness: [Color::Cyan, Color::LightMagenta, Color::Yellow],
}
.palette();

static DARK: Palette = Colours {
    danger: rgb(0xff_6b_6b),
    warn: rgb(0xe3_b3_5a),
    good: rgb(0x93_bd_7d),
    dim: Some(rgb(0x97_a0_ab)),
    label: rgb(0x8c_aa_c4),
    tag: rgb(0xc9_a0_dc),
    frame: Some(rgb(0x6f_7b_89)),
    calm_frame: rgb(0x76_91_7f),
    head: rgb(0xc8_d0_da),
    sorted_head: rgb(0xff_ff_ff),
    key: rgb(0x8c_aa_c4),
    key_label: rgb(0xc8_d0_da),
    selected: (None, rgb(0x1f_31_4a)),
    selected_victim: (rgb(0xff_ff_ff), rgb(0x8c_26_2c)),
    banner: (rgb(0xff_ff_ff), rgb(0xa3_26_2b)),
    badness: [rgb(0x6a_9f_cf), rgb(0xb0_95_d0), rgb(0x8b_93_9e)],
}
.palette();

static DARK_256: Palette = Colours {
    danger: nth(203),
    warn: nth(179),
    good: nth(108),
    dim: Some(nth(246)),
    label: nth(110),
    tag: nth(176),
    frame: Some(nth(243)),
    calm_frame: nth(65),
    head: nth(252),
    sorted_head: nth(231),
    key: nth(110),
    key_label: nth(252),
    selected: (None, nth(18)),
    selected_victim: (nth(231), nth(88)),
    banner: (nth(231), nth(124)),
    badness: [nth(74), nth(140), nth(245)],
}
.palette();

static LIGHT: Palette = Colours {
    danger: rgb(0xc0_1c_28),
    warn: rgb(0x8a_5a_00),
    good: rgb(0x2c_6b_36),
    dim: Some(rgb(0x5c_64_70)),
    label: rgb(0x2c_5f_8f),
    tag: rgb(0x7a_3b_8f),
    frame: Some(rgb(0x7d_88_95)),
    calm_frame: rgb(0x5f_8a_6a),
    head: rgb(0x1f_29_33),
    sorted_head: rgb(0x00_00_00),
    key: rgb(0x2c_5f_8f),
    key_label: rgb(0x1f_29_33),
    selected: (None, rgb(0xdb_e8_f7)),
    selected_victim: (rgb(0xff_ff_ff), rgb(0xb3_20_2c)),
    banner: (rgb(0xff_ff_ff), rgb(0xb3_20_2c)),
    badness: [rgb(0x2f_6c_a8), rgb(0x80_55_a6), rgb(0x66_6e_79)],
}
.palette();

static LIGHT_256: Palette = Colours {
    danger: nth(124),
    warn: nth(94),
    good: nth(22),
    dim: Some(nth(241)),
    label: nth(24),
    tag: nth(90),
    frame: Some(nth(245)),
    calm_frame: nth(65),
    head: nth(16),
    sorted_head: nth(16),
    key: nth(24),
    key_label: nth(16),
    selected: (None, nth(254)),
    selected_victim: (nth(231), nth(124)),
    banner: (nth(231), nth(124)),
    badness: [nth(25), nth(97), nth(241)],
}
.palette();

static LIGHT_16: Palette = Colours {
    danger: Color::Red,
    warn: Color::Magenta,
    good: Color::Reset,
    dim: None,
    label: Color::Blue,
    tag: Color::Magenta,
    frame: Some(Color::DarkGray),
    calm_frame: Color::DarkGray,
    head: Color::Reset,
    sorted_head: Color::Blue,
    key: Color::Blue,
    key_label: Color::Reset,
    selected: (Some(Color::White), Color::Blue),
    selected_victim: (Color::White, Color::Red),
    banner: (Color::White, Color::Red),
    badness: [Color::Blue, Color::Magenta, Color::Black],
}
.palette();

static COLOURBLIND: Palette = Colours {
    danger: rgb(0xf0_70_00),
    warn: rgb(0xff_e9_b0),
    good: rgb(0x4d_9b_ff),
    dim: Some(rgb(0x97_a0_ab)),
    label: rgb(0xd0_d5_db),
    tag: rgb(0xff_ff_ff),
    frame: Some(rgb(0x6f_7b_89)),
    calm_frame: rgb(0x5a_86_b8),
    head: rgb(0xc8_d0_da),
    sorted_head: rgb(0xff_ff_ff),
    key: rgb(0x4d_9b_ff),
    key_label: rgb(0xc8_d0_da),
    selected: (None, rgb(0x1a_2a_40)),
    selected_victim: (rgb(0x00_00_00), rgb(0xf0_70_00)),
    banner: (rgb(0x00_00_00), rgb(0xf0_70_00)),
    badness: [rgb(0x4d_9b_ff), rgb(0xff_e9_b0), rgb(0x8b_93_9e)],
}
.palette();

static COLOURBLIND_256: Palette = Colours {
    danger: nth(208),
    warn: nth(229),
    good: nth(75),
    dim: Some(nth(246)),
    label: nth(252),
    tag: nth(231),
    frame: Some(nth(243)),
    calm_frame: nth(67),
    head: nth(252),
    sorted_head: nth(231),
    key: nth(75),
    key_label: nth(252),
    selected: (None, nth(17)),
    selected_victim: (nth(16), nth(208)),
    banner: (nth(16), nth(208)),
    badness: [nth(75), nth(229), nth(245)],
}
.palette();

static COLOURBLIND_16: Palette = Colours {
    danger: Color::LightRed,
    warn: Color::LightYellow,
    good: Color::Cyan,
    dim: None,
    label: Color::White,
    tag: Color::White,
    frame: Some(Color::DarkGray),
    calm_frame: Color::Cyan,
    head: Color::Reset,
    sorted_head: Color::White,
    key: Color::Cyan,
    key_label: Color::Reset,
    selected: (Some(Color::White), Color::Blue),
    selected_victim: (Color::Black, Color::LightYellow),
    banner: (Color::Black, Color::LightYellow),
    badness: [Color::Cyan, Color::LightYellow, Color::DarkGray],
}
.palette();

static COLOURBLIND_LIGHT: Palette = Colours {
    danger: rgb(0xa8_44_00),
    warn: rgb(0x2e_20_00),
    good: rgb(0x00_62_d6),
    dim: Some(rgb(0x5c_64_70)),
    label: rgb(0x5c_64_70),
    tag: rgb(0x00_00_00),
    frame: Some(rgb(0x7d_88_95)),
    calm_frame: rgb(0x5a_86_b8),
    head: rgb(0x1f_29_33),
    sorted_head: rgb(0x00_00_00),
    key: rgb(0x00_55_b8),
    key_label: rgb(0x1f_29_33),
    selected: (None, rgb(0xdb_e8_f7)),
    selected_victim: (rgb(0xff_ff_ff), rgb(0xa8_44_00)),
    banner: (rgb(0xff_ff_ff), rgb(0xa8_44_00)),
    badness: [rgb(0x00_62_d6), rgb(0x55_3c_00), rgb(0x66_6e_79)],
}
.palette();

static COLOURBLIND_LIGHT_256: Palette = Colours {
    danger: nth(94),
    warn: nth(16),
    good: nth(26),
    dim: Some(nth(241)),
    label: nth(240),
    tag: nth(16),
    frame: Some(nth(245)),
    calm_frame: nth(67),
    head: nth(16),
    sorted_head: nth(16),
    key: nth(26),
    key_label: nth(16),
    selected: (None, nth(254)),
    selected_victim: (nth(231), nth(94)),
    banner: (nth(231), nth(94)),
    badness: [nth(26), nth(58), nth(241)],
}
.palette();

/// Bold, dim, underlined and reversed only.
static MONO: Palette = {
    let plain = Style::new();
    let bold = plain.add_modifier(Modifier::BOLD);
    let reversed = plain.add_modifier(Modifier::REVERSED);
    let both = bold.add_modifier(Modifier::REVERSED);
    Palette {
        danger: bold,
        warn: bold,
        good: plain,
        dim: plain.add_modifier(Modifier::DIM),
        label: plain,
        tag: bold,
        frame: plain,
        calm_frame: plain,
        head: reversed,
        sorted_head: both,
        key: plain,
        key_label: reversed,
        selected: reversed,
        selected_victim: both,
        banner: both,
        badness: [plain, plain, plain],
    }
};

/// The palette of a theme on a terminal with this depth of colour. `dark` has the 16 colours of `default`
/// where the terminal has no more.
pub(super) const fn palette(name: ThemeName, depth: ColourDepth) -> &'static Palette {
    use ColourDepth::{Ansi, Indexed, Mono, True};
    match (name, depth) {
        (ThemeName::Mono, _) | (_, Mono) => &MONO,
        (ThemeName::Default, Ansi | Indexed | True) | (ThemeName::Dark, Ansi) => &TERMINAL,
        (ThemeName::Dark, Indexed) => &DARK_256,
        (ThemeName::Dark, True) => &DARK,
        (ThemeName::Light, Ansi) => &LIGHT_16,
        (ThemeName::Light, Indexed) => &LIGHT_256,
        (ThemeName::Light, True) => &LIGHT,
        (ThemeName::Colourblind, Ansi) => &COLOURBLIND_16,
        (ThemeName::Colourblind, Indexed) => &COLOURBLIND_256,
        (ThemeName::Colourblind, True) => &COLOURBLIND,
        // No orange among the 16 colours is dark enough for a white ground: its severities differ by their marks.
        (ThemeName::ColourblindLight, Ansi) => &LIGHT_16,
        (ThemeName::ColourblindLight, Indexed) => &COLOURBLIND_LIGHT_256,
        (ThemeName::ColourblindLight, True) => &COLOURBLIND_LIGHT,
    }
}
