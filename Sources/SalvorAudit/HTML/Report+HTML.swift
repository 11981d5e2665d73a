extension Report {
    /// The report as one HTML file: no script, nothing loaded from anywhere, for screen and paper, light and dark.
    package func html() -> String {
        let page = HTML.element("html", .other("lang", "en")) {
            head
            HTML.element("body") {
                HTML.element("main") {
                    masthead
                    overview
                    if !remains.isEmpty { remainsSection }
                    for (index, machine) in machines.enumerated() {
                        MachineSection(machine: machine, number: index + 1).html
                    }
                    runSection
                    readingSection
                }
                HTML.element("footer") {
                    "Made by Salvor on \(humanTime(madeAt.rfc3339)) from the audit log of run \(run)."
                }
            }
        }
        return "<!DOCTYPE html>\n" + page.markup + "\n"
    }

    private var head: HTML {
        HTML.element("head") {
            HTML.void("meta", .other("charset", "utf-8"))
            HTML.void(
                "meta", .other("name", "viewport"), .other("content", "width=device-width, initial-scale=1"))
            // Should markup ever get through, a browser still runs and loads nothing.
            HTML.void(
                "meta", .other("http-equiv", "Content-Security-Policy"),
                .other("content", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"))
            HTML.void("meta", .other("name", "referrer"), .other("content", "no-referrer"))
            HTML.void("meta", .other("name", "color-scheme"), .other("content", "light dark"))
            HTML.element("title") { "Rescue report \(run)" }
            HTML.constant(reportStyle)
        }
    }

    private var masthead: HTML {
        HTML.element("header") {
            HTML.element("p", .class("eyebrow")) { "Salvor rescue report" }
            HTML.element("h1") { headline }
            HTML.element("p", .class("lead")) { lead }
            HTML.element("p", .class(log.isSound ? "proof good" : "proof bad"), .other("role", "status")) {
                HTML.element("strong") {
                    log.isSound ? "Audit log verified. " : "Audit log NOT verified. "
                }
                log.statement
                if !log.isSound {
                    " This report is made from the proven records alone; what came after them is not in it."
                }
            }
        }
    }

    private var headline: String {
        let repaired = totals.outcomes[AuditEvent.OutcomeKind.repaired.rawValue] ?? 0
        if machines.isEmpty { return "No machine was worked on" }
        if totals.bootProven > 0 || repaired == 0 {
            if totals.bootProven == totals.machines {
                return totals.machines == 1
                    ? "\(machines[0].name) boots again" : "All \(totals.machines) machines boot again"
            }
            if totals.bootProven == 0, let only = machines.first, machines.count == 1 {
                return "\(only.name): \(only.wording.label.lowercased())"
            }
            return "\(totals.bootProven) of \(counted(totals.machines, "machine")) "
                + (totals.bootProven == 1 ? "boots again" : "boot again")
        }
        return "\(repaired) of \(counted(totals.machines, "machine")) repaired, no boot proven"
    }

    private var lead: String {
        var parts: [String] = []
        if let started, let startedAt {
            parts.append(
                "\(started.operator.name) on \(started.operator.host) ran salvor \(started.options.command) "
                    + "at \(humanTime(toTheMinute: startedAt.rfc3339)).")
            if started.options.dryRun { parts.append("This was a dry run: nothing was to be changed.") }
        }
        switch state {
        case .ended: break
        case .interrupted: parts.append("The run was interrupted and has not been resumed.")
        case .unfinished: parts.append("The run has no end on record: it goes on, or it was killed.")
        }
        if let summary { parts.append(summary) }
        return parts.joined(separator: " ")
    }

    private var overview: HTML {
        HTML.element("section", .other("aria-labelledby", "overview")) {
            HTML.element("h2", .id("overview")) { "Overview" }
            HTML.element("ul", .class("figures")) {
                figure(totals.machines, totals.machines == 1 ? "machine" : "machines")
                figure(totals.outcomes[AuditEvent.OutcomeKind.repaired.rawValue] ?? 0, "repaired")
                figure(totals.bootProven, "seen to boot")
                figure(totals.filesJudged, totals.filesJudged == 1 ? "file judged" : "files judged")
                figure(totals.filesDeleted, totals.filesDeleted == 1 ? "file deleted" : "files deleted")
            }
            machineTable
        }
    }

    private func figure(_ value: Int, _ label: String) -> HTML {
        HTML.element("li") {
            HTML.element("span", .class("value")) { String(value) }
            " "
            HTML.element("span", .class("label")) { label }
        }
    }

    private var machineTable: HTML {
        HTML.element("div", .class("scroll")) {
            HTML.element("table") {
                HTML.element("thead") {
                    HTML.element("tr") {
                        for column in ["Machine", "Outcome", "Boot", "Files", "What to do next"] {
                            HTML.element("th", .other("scope", "col")) { column }
                        }
                    }
                }
                HTML.element("tbody") {
                    for (index, machine) in machines.enumerated() { machineRow(machine, number: index + 1) }
                }
            }
        }
    }

    private func machineRow(_ machine: MachineReport, number: Int) -> HTML {
        let deleted = machine.files.count { $0.deletedAt != nil }
        let written = machine.files.count { $0.writtenAt != nil }
        return HTML.element("tr") {
            HTML.element("th", .other("scope", "row")) {
                HTML.element("a", .href("#machine-\(number)")) { machine.name }
            }
            HTML.element("td") { badge(machine.wording) }
            HTML.element("td") {
                if let proof = machine.bootProof { badge(proof.verdict.wording) } else { "Not started" }
            }
            HTML.element("td") {
                "\(machine.files.count) judged, \(deleted) deleted" + (written > 0 ? ", \(written) written" : "")
            }
            HTML.element("td") { machine.nextStep }
        }
    }

    private var remainsSection: HTML {
        HTML.element("section", .other("aria-labelledby", "remains")) {
            HTML.element("h2", .id("remains")) { "What remains, and how to remove it" }
            HTML.element("div", .class("scroll")) {
                HTML.element("table") {
                    HTML.element("thead") {
                        HTML.element("tr") {
                            for column in ["What", "Machine", "Why it is there", "How to remove it"] {
                                HTML.element("th", .other("scope", "col")) { column }
                            }
                        }
                    }
                    HTML.element("tbody") {
                        for item in remains {
                            HTML.element("tr") {
                                HTML.element("td") {
                                    resourceLabel(item.resource)
                                    HTML.void("br")
                                    HTML.element("code") { item.identifier }
                                }
                                HTML.element("td") { item.machine ?? "none: of the run" }
                                HTML.element("td") { item.why }
                                HTML.element("td") {
                                    item.removal.isEmpty ? "salvor resume \(run)" : item.removal
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

extension MachineReport {
    /// What the operator can do next, in a sentence.
    var nextStep: String {
        if let outcome {
            if let next = outcome.nextStep, !next.isEmpty { return next }
            if bootIsProven { return "Nothing: the machine boots." }
            if outcome.kind == .repaired {
                return bootProof == nil ? "Start the machine." : "Look at its console."
            }
            return "See the outcome."
        }
        return "Resume the run."
    }
}

/// A word with a colour.
func badge(_ wording: Wording) -> HTML {
    HTML.element("span", .class(wording.tone.class)) { wording.label }
}

/// What a provider's kind of resource is called.
func resourceLabel(_ resource: String) -> String {
    switch resource {
    case "repairCopy": "Repair copy"
    case "rescueHost": "Rescue VM"
    case "configDisk": "Config disk"
    case "bootedMachine": "Started machine"
    case "originalDisk": "Original disk"
    case "quarantine": "Quarantined files"
    default: resource
    }
}
