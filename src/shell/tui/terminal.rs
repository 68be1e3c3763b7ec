//! The terminal: how it is taken, drawn to and given back. One idempotent [`restore`] is used by the normal
//! end, by errors, by signals and by the panic hook of every thread.

use std::io::{self, BufWriter, Stdout, StdoutLock, Write};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Hide;
use crossterm::event::EnableBracketedPaste;
use crossterm::execute;
use crossterm::style::force_color_output;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::SIGABRT;

use crate::app::{App, Viewport};
use crate::shell::exit_status::ExitStatus;
use crate::shell::stdio;
use crate::ui;
use crate::ui::click_areas::ClickAreas;

static TAKEN: AtomicBool = AtomicBool::new(false);
static ALTERNATE: AtomicBool = AtomicBool::new(false);
/// The modes of the terminal when it was first taken.
static MODES: OnceLock<Termios> = OnceLock::new();

/// Clicks and turns of the wheel, as SGR sequences. Not `EnableMouseCapture`: that asks for every movement
/// too.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// The terminal has its mouse back.
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// Restores the terminal. Does nothing where it was not taken.
pub(super) fn restore() {
    restore_through(&mut io::stdout().lock());
}

fn restore_through(out: &mut StdoutLock<'_>) {
    if TAKEN.swap(false, Ordering::SeqCst) {
        for bytes in restoring() {
            let _ = out.write_all(bytes);
        }
        let _ = out.flush();
        let _ = disable_raw_mode();
    }
}

/// No synchronized update, no bracketed paste, no colour, a visible cursor.
const PLAIN: &[u8] = b"\x1b[?2026l\x1b[?2004l\x1b[0m\x1b[?25h";
/// Leaves the alternate screen.
const LEAVE: &[u8] = b"\x1b[?1049l";

/// What the terminal is sent to be as it was. The mouse is given back whether it was taken or not: a shell after
/// a mouse mode gets letters for each click.
fn restoring() -> [&'static [u8]; 3] {
    [MOUSE_OFF, PLAIN, if ALTERNATE.load(Ordering::SeqCst) { LEAVE } else { b"\r\n" }]
}

const SAID_AT_ABORT: &[u8] =
    b"doomtop: aborted, for lack of memory or by a bug; the terminal was restored\r\n";

/// Restores the terminal before a signal ends the program whatever it does, by system calls alone: in a signal
/// handler nothing may be allocated or locked. A terminal that takes no output gets only its modes back.
pub(super) fn restore_in_signal_handler(signal: i32) {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let out = rustix::stdio::stdout();
    let mut fds = [PollFd::new(&out, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0) {
        for bytes in restoring() {
            let _ = rustix::io::write(out, bytes);
        }
    }
    if let Some(modes) = MODES.get() {
        let _ = tcsetattr(out, OptionalActions::Now, modes);
    }
    if signal == SIGABRT {
        let _ = rustix::io::write(rustix::stdio::stderr(), SAID_AT_ABORT);
    }
}

/// Rings the bell, while doomtop has the terminal.
///
/// # Errors
/// The terminal is gone.
pub(super) fn ring() -> io::Result<()> {
    write_now(b"\x07")
}

/// Asks for the primary device attributes (DA1), which every terminal answers: `ESC [ ? 62 ; 4 c`.
///
/// # Errors
/// The terminal is gone.
pub(super) fn ask_attributes() -> io::Result<()> {
    write_now(b"\x1b[c")
}

/// Writes between two pictures, while doomtop has the terminal.
fn write_now(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if TAKEN.load(Ordering::SeqCst) {
        out.write_all(bytes)?;
        out.flush()?;
    }
    Ok(())
}

/// From now on a panic in any thread first restores the terminal, then ends the program. Standard output
/// stays locked to the end, so that no other thread draws meanwhile.
pub(super) fn hook_panics() {
    let default_hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let mut out = io::stdout().lock();
        restore_through(&mut out);
        default_hook(panic);
        stdio::complain(
            "this is a bug in doomtop; the terminal was restored, nothing was signalled",
        );
        std::process::exit(ExitStatus::Panic.code().into())
    }));
}

/// Whether the terminal's alternate screen is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScreenBuffer {
    /// What the terminal showed before comes back at the end.
    Alternate,
    /// The last picture stays, and the prompt follows it.
    Normal,
}

/// The terminal, taken.
pub(super) struct TerminalScreen {
    /// Never dropped: ratatui would write to a terminal that may be gone.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    buffer: ScreenBuffer,
    area: Rect,
    mouse: bool,
}

/// The size of the terminal, through the descriptor that is open already.
fn size() -> io::Result<Rect> {
    let size = rustix::termios::tcgetwinsize(io::stdout())?;
    // A serial line may not know its size.
    let (width, height) =
        if size.ws_col == 0 || size.ws_row == 0 { (80, 24) } else { (size.ws_col, size.ws_row) };
    Ok(Rect::new(0, 0, width.min(MAX_WIDTH), height.min(MAX_HEIGHT)))
}

/// Maximum size of a picture, in cells: anybody who may write to a terminal can claim a size for it, and the
/// memory for 65535 by 65535 cells does not exist.
const MAX_WIDTH: u16 = 1000;
const MAX_HEIGHT: u16 = 400;

impl TerminalScreen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// Standard output is not a terminal, or the terminal is gone.
    pub(super) fn take(buffer: ScreenBuffer) -> io::Result<Self> {
        // The theme decides about colours: NO_COLOR does not outweigh a theme that was asked for.
        force_color_output(true);
        let out = BufWriter::with_capacity(1 << 16, io::stdout());
        // A fixed viewport: otherwise ratatui opens /dev/tty before every picture to get the size, and
        // opening a file can block when memory is exhausted.
        let options = TerminalOptions { viewport: ratatui::Viewport::Fixed(size()?) };
        let terminal = Terminal::with_options(CrosstermBackend::new(out), options)?;
        let mut screen = Self {
            terminal: ManuallyDrop::new(terminal),
            buffer,
            area: Rect::default(),
            mouse: false,
        };
        screen.enter()?;
        Ok(screen)
    }

    /// Takes the terminal again after a stop.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        let is_alternate = self.buffer == ScreenBuffer::Alternate;
        ALTERNATE.store(is_alternate, Ordering::SeqCst);
        if let Ok(modes) = tcgetattr(io::stdout()) {
            MODES.get_or_init(|| modes);
        }
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        let mut out = io::stdout();
        if is_alternate {
            execute!(out, EnterAlternateScreen)?;
        }
        execute!(out, Hide, EnableBracketedPaste)?;
        self.mouse = false;
        self.clear()
    }

    /// Clears the screen: the next picture is drawn in full.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let area = size()?;
        // Resizing clears, without asking the terminal where its cursor is.
        self.terminal.resize(area)?;
        self.area = area;
        Ok(())
    }

    /// Takes the mouse, or gives it back.
    fn use_mouse(&mut self, on: bool) -> io::Result<()> {
        if on != self.mouse {
            self.mouse = on;
            let mut out = io::stdout().lock();
            out.write_all(if on { MOUSE_ON } else { MOUSE_OFF })?;
            out.flush()?;
        }
        Ok(())
    }

    /// Draws one picture, and notes what was drawn where.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn draw(
        &mut self,
        app: &App,
        theme: &ui::Theme,
        areas: &mut ClickAreas,
    ) -> io::Result<Viewport> {
        self.use_mouse(app.display.mouse)?;
        let mut viewport = Viewport::default();
        if size()? != self.area {
            self.clear()?;
        }
        execute!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| viewport = ui::draw(app, theme, areas, frame))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        Ok(viewport)
    }

    /// The picture as lines of text, to be left on the terminal.
    pub(super) fn picture(&mut self, app: &App, theme: &ui::Theme) -> Vec<String> {
        let area = Rect { height: self.area.height.saturating_sub(1), ..self.area };
        let mut buffer = Buffer::empty(area);
        ui::paint(app, theme, area, &mut buffer);
        let line = |y: u16| {
            let cells = (0..area.width).map(|x| buffer[(x, y)].symbol());
            cells.collect::<String>().trim_end().to_owned()
        };
        (0..area.height).map(line).collect()
    }
}

impl Drop for TerminalScreen {
    fn drop(&mut self) {
        restore();
    }
}
