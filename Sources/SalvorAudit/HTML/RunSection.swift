internal import SalvorDigest

extension Report {
    /// The run itself: who, when, with what.
    var runSection: HTML {
        HTML.element("section", .other("aria-labelledby", "run")) {
            HTML.element("h2", .id("run")) { "The run" }
            factList(runFacts)
            if !hosts.isEmpty {
                HTML.element("h3") { "Rescue VMs" }
                for host in hosts { factList(hostFacts(host)) }
            }
            if !calls.isEmpty {
                HTML.element("h3") { "Calls to the provider" }
                callTable
            }
            if !remarks.isEmpty {
                HTML.element("h3") { "Remarks" }
                HTML.element("ol", .class("actions")) {
                    for remark in remarks {
                        HTML.element("li") {
                            time(remark.time.rfc3339)
                            " "
                            HTML.element("span") { remark.machine.map { "\($0): \(remark.text)" } ?? remark.text }
                        }
                    }
                }
            }
            Timeline(steps: steps).html
        }
    }

    private var callTable: HTML {
        HTML.element("div", .class("scroll")) {
            HTML.element("table") {
                HTML.element("thead") {
                    HTML.element("tr") {
                        for column in ["Step", "For", "Call", "Answer", "Request"] {
                            HTML.element("th", .other("scope", "col")) { column }
                        }
                    }
                }
                HTML.element("tbody") {
                    for one in calls {
                        HTML.element("tr") {
                            HTML.element("td") { one.step }
                            HTML.element("td") { one.machine ?? one.host ?? "" }
                            HTML.element("td") { code("\(one.call.verb) \(one.call.target)") }
                            HTML.element("td") {
                                [one.call.status.map(String.init) ?? "none", one.call.code].compactMap { $0 }
                                    .joined(separator: " ")
                            }
                            HTML.element("td") { code(one.call.requestID ?? "") }
                        }
                    }
                }
            }
        }
    }

    private var runFacts: [(String, HTML)] {
        var facts: [(String, HTML)] = [("Run", code(run))]
        if let startedAt { facts.append(("Began", time(startedAt.rfc3339))) }
        if let endedAt {
            facts.append(("Ended", time(endedAt.rfc3339)))
            if let startedAt, startedAt <= endedAt {
                let span = UInt64(endedAt.unixMilliseconds - startedAt.unixMilliseconds)
                facts.append(("Took", .text(humanDuration(milliseconds: span))))
            }
        }
        if let exitCode { facts.append(("Exit code", .text(String(exitCode)))) }
        if let started {
            facts.append(("Operator", .text("\(started.operator.name) on \(started.operator.host)")))
            facts.append(("Asked for", .text(Self.request(started.options))))
            facts.append(("Salvor", .text(started.salvorVersion)))
            facts.append(("Provider", .text(started.provider)))
            facts.append(("Recipe", .text("\(started.recipe.name), version \(started.recipe.version)")))
            facts.append(("SHA-256 of the recipe", code(started.recipe.sha256.hex)))
        }
        facts.append(("Audit records", .text(String(log.provenRecords))))
        facts.append(("SHA-256 of the last", code(log.lastSHA256.hex)))
        return facts
    }

    private static func request(_ options: AuditEvent.RunOptions) -> String {
        var text = "\(options.command) \(options.machines.joined(separator: ", "))"
        if let inventory = options.inventory { text += ", inventory \(inventory)" }
        if options.dryRun { text += ", dry run" }
        if options.assumeYes { text += ", agreed beforehand" }
        return text
    }

    private func hostFacts(_ host: HostReport) -> [(String, HTML)] {
        var facts: [(String, HTML)] = [("Name", .text(host.name))]
        if let startedAt = host.startedAt { facts.append(("Started", time(startedAt.rfc3339))) }
        if let identifier = host.identifier { facts.append(("Identifier", code(identifier))) }
        if let acceleration = host.acceleration { facts.append(("Acceleration", .text(acceleration))) }
        if let digest = host.imageDigest { facts.append(("Rescue image", code(digest.hex))) }
        if let version = host.agentVersion {
            facts.append(("Agent", .text(version + (host.kernel.map { ", Linux \($0)" } ?? ""))))
        }
        if let digest = host.certificateSHA256 { facts.append(("SHA-256 of its certificate", code(digest.hex))) }
        for (key, value) in host.details.sorted(by: { $0.key < $1.key }) {
            facts.append((capitalised(key), .text(value)))
        }
        return facts
    }

    /// What a reader who was not there has to know to read the rest, and to check it.
    var readingSection: HTML {
        let outcomes: [AuditEvent.OutcomeKind] = [
            .repaired, .collected, .nothingToRepair, .locked, .cannotUnlock, .unclean, .notWindows, .ambiguous,
            .otherMachine,
            .failed,
            .repairable, .created, .copyRepaired, .rolledBack,
        ]
        let used = outcomes.filter { totals.outcomes[$0.rawValue] != nil }
        let verdicts: [AuditEvent.FileVerdict] = [.faulty, .corrected, .zeroed, .missing, .unknown]
        let usedVerdicts = verdicts.filter { verdict in
            machines.contains { $0.files.contains { $0.verdict == verdict } }
        }
        return HTML.element("section", .other("aria-labelledby", "reading")) {
            HTML.element("h2", .id("reading")) { "How to read and check this report" }
            HTML.element("p") {
                "Salvor works on a copy of a broken machine's disk, in a small Linux machine of its own, and never writes to "
                "the original. Every event went into an audit log when it happened. Each record of that log "
                "holds the SHA-256 of the record before it, so that a change, a removal or a move shows; the "
                "head of this page says what the check found. To see the log's last record: its SHA-256 is the one "
                "above, and the command "
                code("tail -n 1 LOG | sed -E 's/,\"sha256\":\"[0-9a-f]{64}\"\\}$/}/' | tr -d '\\n' | sha256sum")
                " computes it anew."
            }
            HTML.element("p") {
                "All times are UTC. File times come from the disk as NTFS keeps them, to 100 nanoseconds. "
                "A sequence such as "
                code("\\u{202E}")
                " stands for a character in a name that cannot be seen or would disturb the text around it."
            }
            factList(used.map { ($0.wording.label, .text($0.wording.meaning)) })
            factList(usedVerdicts.map { ("File: " + $0.wording.label.lowercased(), .text($0.wording.meaning)) })
        }
    }
}
