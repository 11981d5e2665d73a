/// Where Salvor keeps what must outlive it: the journal, and a folder for each run. Only its owner can read it.
package struct StateDirectory: Hashable, Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    /// `SALVOR_HOME`; otherwise `salvor` in `XDG_STATE_HOME`; otherwise `~/.local/state/salvor`.
    package static func find(environment: [String: String]) throws(CoordinatorError) -> StateDirectory {
        // The XDG specification says that a relative path is to be ignored; SALVOR_HOME is the operator's own word.
        if let home = environment["SALVOR_HOME"], !home.isEmpty {
            guard home.hasPrefix("/") else {
                throw CoordinatorError(
                    .state, "SALVOR_HOME is \(home), which is not an absolute path.",
                    nextStep: "Set it to a path that begins with a slash, or unset it.")
            }
            return StateDirectory(path: home)
        }
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            return StateDirectory(path: "\(state)/salvor")
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw CoordinatorError(
                .state, "There is no place for Salvor's state: neither SALVOR_HOME nor HOME is set.",
                nextStep: "Set SALVOR_HOME to a folder that only you can read.")
        }
        return StateDirectory(path: "\(home)/.local/state/salvor")
    }

    package var journal: String { "\(path)/journal.sqlite" }

    package func run(_ run: String) -> RunDirectory { RunDirectory(path: "\(path)/runs/\(SafeName.component(run))") }

    func make() throws(CoordinatorError) { try PrivateFiles.makeFolder("\(path)/runs") }
}

/// The folder of one run.
package struct RunDirectory: Hashable, Sendable {
    package let path: String

    package var auditLog: String { "\(path)/audit.jsonl" }
    /// The run's certificate authority.
    package var authority: String { "\(path)/ca" }
    package var lock: String { "\(path)/lock" }

    package func quarantine(of machine: String) -> String { "\(path)/quarantine/\(SafeName.component(machine))" }

    package func consoleLog(of machine: String) -> String { "\(path)/console/\(SafeName.component(machine)).log" }

    func make() throws(CoordinatorError) {
        for folder in ["", "/ca", "/quarantine", "/console"] { try PrivateFiles.makeFolder(path + folder) }
    }
}
