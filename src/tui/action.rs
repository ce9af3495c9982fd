//! Everything a key can mean: one table, from which keymaps, help, the command line and the docs are made.

use crate::ops::Verb;
use crate::query::Kind;
use std::fmt;

/// Where keys are looked up: the page that has the focus, or a line being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Everywhere but in a line being typed.
    All,
    /// Pages with rows: the overview and every list.
    List,
    /// Pages of text: describe, help, troubles, logs.
    Text,
    /// Choosing a column in the headings.
    Sort,
    /// A small list over the page: where to go from a row, which columns show.
    Menu,
    /// A line being typed: the filter and the command line.
    Prompt,
    /// The dialog in which a change is looked at and confirmed.
    Dialog,
}

impl Layer {
    /// Every layer, in the order of the help page.
    pub const ALL: [Self; 7] =
        [Self::All, Self::List, Self::Text, Self::Sort, Self::Menu, Self::Prompt, Self::Dialog];

    /// Its name in keymap files.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::List => "list",
            Self::Text => "text",
            Self::Sort => "sort",
            Self::Menu => "menu",
            Self::Prompt => "prompt",
            Self::Dialog => "dialog",
        }
    }

    /// Its heading on the help page.
    pub fn title(self) -> &'static str {
        match self {
            Self::All => "Everywhere",
            Self::List => "In lists and on the overview",
            Self::Text => "In describe, help, troubles and logs",
            Self::Sort => "While choosing a column to sort or group by",
            Self::Menu => "In a menu: where to go, which columns show",
            Self::Prompt => "While typing a filter or a command",
            Self::Dialog => "In the dialog before something is changed",
        }
    }

    /// Tells whether keys that it does not bind are looked up in `all`.
    pub fn falls_through(self) -> bool {
        !matches!(self, Self::All | Self::Menu | Self::Prompt | Self::Dialog)
    }
}

/// One line of the action table.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The action.
    pub action: Action,
    /// Its name in keymap files and on the command line: kebab-case.
    pub name: &'static str,
    /// A word or two for the line of hints.
    pub brief: &'static str,
    /// One line for help.
    pub doc: &'static str,
    /// The layers in which it may be bound.
    pub layers: &'static [Layer],
    /// What it can do to the fleet.
    pub danger: Danger,
}

/// What an action can do to the fleet: whatever destroys may not be bound to a key that is pressed by accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Nothing: it changes what is shown, no more.
    None,
    /// It changes something that can be put back.
    Changes,
    /// It ends or loses something.
    Destroys,
}

// A line ends in `Changes` or `Destroys` where the action touches the fleet: `Stop "stop" … [List] Destroys;`.
macro_rules! actions {
    (@danger) => { Danger::None };
    (@danger $danger:ident) => { Danger::$danger };
    ($($variant:ident $(($kind:ident))? $name:literal $brief:literal $doc:literal [$($layer:ident)+] $($danger:ident)?;)+) => {
        /// Every action, in the order of the help page.
        pub const ACTIONS: &[About] = &[$(About {
            action: Action::$variant $((Kind::$kind))?,
            name: $name,
            brief: $brief,
            doc: $doc,
            layers: &[$(Layer::$layer),+],
            danger: actions!(@danger $($danger)?),
        }),+];
    };
}

/// A wish of the person at the keys. None changes anything but the screen and what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // `ACTIONS` has a sentence for each.
pub enum Action {
    Quit,
    Suspend,
    Redraw,
    Back,
    Forward,
    Help,
    Troubles,
    Command,
    Refresh,
    Earlier,
    Later,
    HourEarlier,
    HourLater,
    Now,
    Overview,
    Go(Kind),
    Down,
    Up,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    Top,
    Bottom,
    Left,
    Right,
    Open,
    Describe,
    Logs,
    Shell,
    Follow,
    Wrap,
    Jump,
    Split,
    PaneDown,
    PaneUp,
    NextLink,
    PreviousLink,
    Mark,
    MarkRange,
    MarkInvert,
    MarkNone,
    GroupBy,
    Fold,
    FoldAll,
    Columns,
    MoveDown,
    MoveUp,
    Filter,
    ClearFilter,
    Sort,
    Reverse,
    Wide,
    Metrics,
    CopyId,
    CopyRow,
    CopyCommand,
    CopyJson,
    Mouse,
    Lean,
    Accept,
    Cancel,
    Complete,
    CompleteBack,
    Erase,
    EraseForward,
    EraseWord,
    EraseLine,
    EraseRest,
    CursorLeft,
    CursorRight,
    CursorStart,
    CursorEnd,
    Older,
    Newer,
    NextField,
    PreviousField,
    Operations,
    Capacity,
    Drain,
    Undrain,
    Protect,
    Unprotect,
    Standby,
    Return,
    Stop,
    Start,
    Reboot,
    Terminate,
    Scale,
    RefreshGroup,
    RollOut,
    SpotShare,
    TuneGroup,
    CleanTemplate,
    Redeploy,
    MoveCore,
    CreateCore,
    SetSetting,
    RotateKey,
    RetireKey,
    SuspendProcesses,
    ResumeProcesses,
    PauseOperation,
    ResumeOperation,
    CancelOperation,
    RollBack,
    TakeOver,
}

actions! {
    Quit "quit" "quit" "Leave coredeck" [All List Text Sort Menu Prompt];
    Back "back" "back" "Close what is open, or go back to the page before" [All List Text Sort];
    Forward "forward" "forward" "Go forward again after going back" [All List Text];
    Help "help" "help" "Show every key and every column" [All List Text];
    Troubles "troubles" "troubles" "Show everything that could not be read, in full" [All List Text];
    Command "command" "command" "Type a command: a page, or the name of an action" [All List Text];
    Refresh "refresh" "refresh" "Read again now what this page shows; on the troubles page, all that failed" [All List Text];
    Earlier "earlier" "earlier" "Show the fleet as it was five minutes before" [All List Text];
    Later "later" "later" "Show the fleet as it was five minutes after" [All List Text];
    HourEarlier "hour-earlier" "1h earlier" "Show the fleet as it was an hour before" [All List Text];
    HourLater "hour-later" "1h later" "Show the fleet as it was an hour after" [All List Text];
    Now "now" "now" "Show the fleet as it is again" [All List Text];
    Redraw "redraw" "redraw" "Draw the whole screen again" [All List Text Sort Menu Prompt Dialog];
    Suspend "suspend" "suspend" "Go to the background; `fg` returns" [All List Text Sort Menu Prompt Dialog];
    Overview "go-overview" "overview" "Tiers and alarms" [All List Text];
    Go(Instances) "go-instances" "instances" "EC2 instances" [All List Text Menu];
    Go(Groups) "go-groups" "groups" "Auto Scaling groups" [All List Text Menu];
    Go(Services) "go-services" "services" "ECS services" [All List Text Menu];
    Go(Tasks) "go-tasks" "tasks" "ECS tasks" [All List Text Menu];
    Go(Hosts) "go-hosts" "hosts" "ECS container instances" [All List Text Menu];
    Go(Clusters) "go-clusters" "clusters" "ECS clusters" [All List Text Menu];
    Go(Cores) "go-cores" "cores" "Cores" [All List Text Menu];
    Go(Tenants) "go-tenants" "tenants" "Tenants" [All List Text Menu];
    Go(TargetGroups) "go-target-groups" "target groups" "Load balancer target groups" [All List Text Menu];
    Go(Targets) "go-targets" "targets" "Load balancer targets" [All List Text Menu];
    Go(Rules) "go-rules" "rules" "Listener rules" [All List Text Menu];
    Go(Alarms) "go-alarms" "alarms" "CloudWatch alarms" [All List Text Menu];
    Go(Events) "go-events" "events" "What happened: activities, refreshes, deployments, alarms" [All List Text Menu];
    Go(Calls) "go-calls" "calls" "What was asked of AWS, as aws commands" [All List Text Menu];
    Go(Templates) "go-templates" "templates" "Launch templates" [All List Text Menu];
    Go(Images) "go-images" "images" "Machine images in use" [All List Text Menu];
    Operations "go-operations" "operations" "Operations: what runs now and what ran, how far, and whose" [All List Text];
    Capacity "go-capacity" "capacity" "How much more fits into each tier, and when it is full" [All List Text];
    Open "open" "open" "Go into the row: a tier's or group's instances, a service's tasks, or its details; along a related line" [List Text];
    Describe "describe" "describe" "Show every field of the row" [List];
    Logs "logs" "logs" "Read what the row logs: a core, tenant, service, instance or task" [List Text];
    Shell "shell" "shell" "Open a shell in the row: a core, instance or task; the screen comes back when it ends" [List Text];
    Follow "follow" "follow" "In a log: keep the newest line in sight, or stay where one is" [Text];
    Wrap "wrap" "wrap" "In a log: wrap long lines, or cut them" [Text];
    Jump "jump" "jump" "Choose where to go from the row: everything that belongs to it" [List Text];
    NextLink "next-link" "next link" "To the next related line" [Text];
    PreviousLink "previous-link" "previous link" "To the related line before" [Text];
    Split "split" "split" "Show the row in full beside or below the list" [List];
    PaneDown "pane-down" "pane down" "Down in what shows beside the list" [List];
    PaneUp "pane-up" "pane up" "Up in what shows beside the list" [List];
    Mark "mark" "mark" "Mark the row, or take its mark away; in the menu of columns, show or hide one" [List Menu];
    MarkRange "mark-range" "mark range" "Mark every row from the one marked last to this one" [List];
    MarkInvert "mark-invert" "invert marks" "Turn the marks of all rows of the list round" [List];
    MarkNone "mark-none" "unmark" "Take all marks away" [List];
    GroupBy "group-by" "group" "Choose a column to put rows together by; the same one again takes them apart" [List];
    Fold "fold" "fold" "Fold the group of the row, or unfold it" [List];
    FoldAll "fold-all" "fold all" "Fold all groups, or unfold them" [List];
    Columns "columns" "columns" "Choose the columns that show, and their order" [List];
    MoveDown "move-down" "move down" "Move the column one to the back" [Menu];
    MoveUp "move-up" "move up" "Move the column one to the front" [Menu];
    Filter "filter" "filter" "Show only rows that match a query; in a log, lines" [List Text];
    ClearFilter "clear-filter" "clear filter" "Show all rows again" [List Text];
    Sort "sort" "sort" "Choose the column to sort by" [List];
    Reverse "reverse" "reverse" "Turn the order round" [List Sort];
    Wide "wide" "wide" "Show more columns, or fewer" [List];
    Metrics "metrics" "metrics" "Show columns that cost money to read, or hide them" [List];
    Drain "drain" "drain" "Empty instances of tasks and traffic: the row, or all marked" [List Text] Changes;
    Undrain "undrain" "undrain" "Let drained container instances take tasks again" [List Text] Changes;
    Protect "protect" "protect" "Protect instances from scale-in" [List Text] Changes;
    Unprotect "unprotect" "unprotect" "Let groups scale instances in again" [List Text] Changes;
    Standby "standby" "standby" "Take instances out of service, and keep them" [List Text] Changes;
    Return "return" "return" "Put instances back into service from standby" [List Text] Changes;
    Stop "stop" "stop" "Stop instances, tasks or cores" [List Text] Changes;
    Start "start" "start" "Start instances or cores that are stopped" [List Text] Changes;
    Reboot "reboot" "reboot" "Reboot instances, restart cores" [List Text] Changes;
    Terminate "terminate" "terminate" "End instances or tasks for good" [List Text] Destroys;
    Scale "scale" "scale" "Set how many instances a group has, or tasks a service" [List Text] Changes;
    RefreshGroup "refresh-group" "refresh group" "Replace the instances of groups by ones of a template version" [List Text] Destroys;
    RollOut "roll-out" "roll out" "Give groups another image, tried by a few, judged, and then by all; cores another version" [List Text] Destroys;
    SpotShare "spot-share" "spot share" "Set how much of mixed groups is spot, and of which types" [List Text] Changes;
    TuneGroup "tune-group" "tune group" "Set how groups treat their members: warm-up, who is ended first" [List Text] Changes;
    CleanTemplate "clean-template" "clean template" "Delete old versions of launch templates, and images that only they launch" [List Text] Destroys;
    Redeploy "redeploy" "redeploy" "Replace all tasks of services by new ones" [List Text] Changes;
    MoveCore "move-core" "move core" "Give cores another host: made there, serving there, then stopped here" [List Text] Changes;
    CreateCore "create-core" "create core" "Make a core: on the host that fits best, on a new one, or as a task more of its service" [List Text] Changes;
    SetSetting "set-setting" "set setting" "Set settings of a core's domain, app or tenant, by the core's own call" [List Text] Changes;
    RotateKey "rotate-key" "rotate key" "Let a new API key of a customer be valid beside the present one" [List Text] Changes;
    RetireKey "retire-key" "retire key" "Let only one API key of a customer stay valid" [List Text] Destroys;
    SuspendProcesses "suspend-processes" "suspend" "Suspend processes of groups" [List Text] Changes;
    ResumeProcesses "resume-processes" "resume" "Resume processes of groups" [List Text] Changes;
    PauseOperation "pause-operation" "pause" "Make no more calls for the operation until resumed" [List Text] Changes;
    ResumeOperation "resume-operation" "resume" "Let the operation go on, with a new runner if need be" [List Text] Changes;
    CancelOperation "cancel-operation" "cancel it" "Begin no more targets, leave those begun as they are" [List Text] Changes;
    RollBack "roll-back" "roll back" "Undo what the operation did" [List Text] Changes;
    TakeOver "take-over" "take over" "Take the operation from a runner that does not answer" [List Text] Changes;
    CopyId "copy-id" "copy id" "Copy the row's id" [List Text];
    CopyRow "copy-row" "copy row" "Copy the row as it shows, with tabs between" [List Text];
    CopyCommand "copy-command" "copy command" "Copy the aws command that shows the row" [List Text];
    CopyJson "copy-json" "copy JSON" "Copy every field of the row as JSON" [List Text];
    Mouse "mouse" "mouse" "Leave the mouse to the terminal, or take it again" [All List Text];
    Lean "lean" "lean" "Send as little as can be to the terminal, or what looks good again" [All List Text];
    Down "down" "down" "One line down" [List Text Menu Dialog];
    Up "up" "up" "One line up" [List Text Menu Dialog];
    PageDown "page-down" "page down" "One screen down" [List Text Menu Dialog];
    PageUp "page-up" "page up" "One screen up" [List Text Menu Dialog];
    HalfDown "half-page-down" "half down" "Half a screen down" [List Text];
    HalfUp "half-page-up" "half up" "Half a screen up" [List Text];
    Top "top" "top" "To the first line" [List Text Sort Menu];
    Bottom "bottom" "bottom" "To the last line" [List Text Sort Menu];
    Left "left" "left" "One column to the left; back along the lines of a log that are cut" [List Text Sort];
    Right "right" "right" "One column to the right; along the lines of a log that are cut" [List Text Sort];
    Accept "accept" "accept" "Take it" [Sort Menu Prompt Dialog];
    Cancel "cancel" "cancel" "Leave everything as it was" [Sort Menu Prompt Dialog];
    Complete "complete" "complete" "Complete the word, or take the next candidate" [Prompt];
    CompleteBack "complete-back" "complete back" "Take the candidate before" [Prompt];
    Erase "erase" "erase" "Erase the character before the cursor" [Prompt Dialog];
    EraseForward "erase-forward" "erase forward" "Erase the character under the cursor" [Prompt Dialog];
    EraseWord "erase-word" "erase word" "Erase the word before the cursor" [Prompt Dialog];
    EraseLine "erase-line" "erase line" "Erase everything before the cursor" [Prompt Dialog];
    EraseRest "erase-rest" "erase rest" "Erase everything from the cursor on" [Prompt Dialog];
    CursorLeft "cursor-left" "left" "Move the cursor left; take the choice before" [Prompt Dialog];
    CursorRight "cursor-right" "right" "Move the cursor right; take the next choice" [Prompt Dialog];
    CursorStart "cursor-start" "start" "Move the cursor to the start" [Prompt Dialog];
    CursorEnd "cursor-end" "end" "Move the cursor to the end" [Prompt Dialog];
    Older "older" "older" "The line typed before this one" [Prompt];
    Newer "newer" "newer" "The line typed after this one" [Prompt];
    NextField "next-field" "next field" "To the next field" [Dialog];
    PreviousField "previous-field" "field before" "To the field before" [Dialog];
}

impl Action {
    /// The action that asks this of an operation.
    pub fn asking(verb: Verb) -> Self {
        match verb {
            Verb::Pause => Self::PauseOperation,
            Verb::Resume => Self::ResumeOperation,
            Verb::Cancel => Self::CancelOperation,
            Verb::Rollback => Self::RollBack,
            Verb::Takeover => Self::TakeOver,
        }
    }

    /// Its line in the table.
    pub fn about(self) -> Option<&'static About> {
        ACTIONS.iter().find(|about| about.action == self)
    }

    /// The action of that name.
    pub fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|about| about.name == name).map(|about| about.action)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.about().map_or("?", |about| about.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_kebab_case_and_lead_back() {
        let mut seen = HashSet::new();
        for about in ACTIONS {
            assert!(seen.insert(about.name), "{} is there twice", about.name);
            assert!(about.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", about.name);
            assert_eq!(Action::named(about.name), Some(about.action));
            assert_eq!(about.action.to_string(), about.name);
        }
    }
}
