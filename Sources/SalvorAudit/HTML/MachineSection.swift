internal import SalvorDigest

/// One machine's part of the HTML report.
struct MachineSection {
    let machine: MachineReport
    let number: Int

    var html: HTML {
        HTML.element("section", .class("machine"), .other("aria-labelledby", "machine-\(number)")) {
            HTML.element("h2", .id("machine-\(number)")) {
                machine.name
                " "
                badge(machine.wording)
            }
            outcome
            identity
            found
            done
            bootProof
            wayBack
            Timeline(steps: machine.steps).html
        }
    }

    private var outcome: HTML {
        HTML.element("div", .class("callout")) {
            HTML.element("p") {
                machine.outcome?.message ?? "No outcome is on record: the run stopped before this machine was done."
            }
            HTML.element("p") {
                HTML.element("strong") { "Next: " }
                machine.nextStep
            }
        }
    }

    private var identity: HTML {
        var facts: [(String, HTML)] = []
        if let definition = machine.definition { facts.append(("Definition", code(definition))) }
        if let disk = machine.disk {
            facts.append(("Original disk", code(disk.identifier)))
            facts.append(("Format", .text(disk.format)))
            if let size = disk.sizeBytes { facts.append(("Size", .text(humanSize(size)))) }
        }
        if let digest = machine.originalSHA256 { facts.append(("SHA-256 of the original", code(digest.hex))) }
        for (key, value) in machine.details.sorted(by: { $0.key < $1.key }) {
            facts.append((capitalised(key), .text(value)))
        }
        for windows in machine.installations {
            facts.append(
                (
                    "Windows",
                    .text(
                        "\(windows.systemRoot.display) on volume \(windows.volumeNumber) "
                            + "(partition \(windows.partitionGUID)), \(windows.state.rawValue)")
                ))
            if let identity = windows.identity { facts.append(("Its registry", .text(identity.summary))) }
        }
        if let attachment = machine.attachment {
            let device = attachment.device.map { " (\($0))" } ?? ""
            facts.append(
                ("Copy attached to", .text("\(attachment.host ?? "a rescue VM"), as \(attachment.address)\(device)")))
        }
        return HTML.element("div") {
            HTML.element("h3") { "The machine and its disk" }
            factList(facts)
        }
    }

    private var found: HTML {
        HTML.element("div") {
            HTML.element("h3") { "What was found" }
            if machine.files.isEmpty {
                HTML.element("p") { "No file that the recipe looks for is on record." }
            }
            for file in machine.files { FileCard(file: file).html }
        }
    }

    private var done: HTML {
        HTML.element("div") {
            HTML.element("h3") { "What was done" }
            if machine.actions.isEmpty {
                HTML.element("p") { "Nothing: the machine and its disk are as they were." }
            } else {
                HTML.element("ol", .class("actions")) {
                    for action in machine.actions {
                        HTML.element("li") {
                            time(action.time.rfc3339)
                            " "
                            HTML.element("span") { action.text }
                        }
                    }
                }
            }
        }
    }

    private var bootProof: HTML {
        guard let proof = machine.bootProof else { return .empty }
        return HTML.element("div") {
            HTML.element("h3") {
                "Boot proof "
                badge(proof.verdict.wording)
            }
            HTML.element("p") {
                "Seen \(humanDuration(milliseconds: proof.milliseconds)) after the start:"
            }
            HTML.element("pre") { proof.evidence }
            if let log = proof.consoleLog {
                HTML.element("p") {
                    "Everything that the machine printed is in "
                    code(log)
                }
            }
        }
    }

    private var wayBack: HTML {
        guard machine.swap != nil || machine.copy != nil else { return .empty }
        return HTML.element("div", .class("callout")) {
            HTML.element("h3") { "The original disk, and the way back" }
            if let swap = machine.swap {
                HTML.element("p") {
                    "The original stays at "
                    code(swap.original.identifier)
                    ". Salvor only ever opens it for reading. The machine now starts from "
                    code(swap.repaired.identifier)
                    "."
                }
                HTML.element("p") {
                    HTML.element("strong") { "To go back: " }
                    swap.wayBack
                }
            } else if let copy = machine.copy {
                HTML.element("p") {
                    "The machine still has its original disk, "
                    code(copy.original.identifier)
                    ". There is nothing to go back from."
                }
            }
            unchanged
            if let copy = machine.copy, copy.dependsOnOriginal, machine.swap != nil {
                HTML.element("p") {
                    HTML.element("strong") { "Do not delete the original: " }
                    "the repaired disk holds only what differs from it."
                }
            }
        }
    }

    /// What two looks at the original show.
    private var unchanged: HTML {
        guard let before = machine.originalSHA256, let after = machine.originalSHA256After else { return .empty }
        return HTML.element("p") {
            if before == after {
                badge(Wording(label: "Unchanged", tone: .good))
                " Its SHA-256 was the same before and after the run."
            } else {
                badge(Wording(label: "CHANGED", tone: .bad))
                " Its SHA-256 was another one after the run: "
                code(after.hex)
            }
        }
    }
}

/// One file that was judged.
struct FileCard {
    let file: FileReport

    var html: HTML {
        HTML.element("article", .class("file")) {
            HTML.element("h4") {
                badge(file.verdict.wording)
                " "
                HTML.element("code") { file.path.display }
            }
            HTML.element("p") { file.reason }
            factList([
                ("What became of it", .text(fate)),
                ("Size", .text(humanSize(file.sizeBytes))),
                ("First bytes", file.header.isEmpty ? .text("none") : code(spacedHexadecimal(file.header))),
                ("SHA-256", code(file.sha256.hex)),
                ("Modified", time(file.times.modified.rfc3339)),
                ("Created", time(file.times.created.rfc3339)),
                ("Record changed", time(file.times.mftChanged.rfc3339)),
                ("Accessed", time(file.times.accessed.rfc3339)),
                ("Rule", .text("\(file.rule), volume \(file.volumeNumber)")),
            ])
        }
    }

    private var fate: String {
        if let result = file.resultSHA256, file.writtenAt != nil {
            let before = file.quarantinedAt.map { "; what it was is at \($0)" } ?? ""
            return "Written on the repair copy, and holds what has the SHA-256 \(result.hex)\(before)"
        }
        switch (file.deletedAt, file.quarantinedAt) {
        case (.some, .some(let copy)): return "Deleted from the repair copy; a copy of it is at \(copy)"
        case (.some, nil): return "Deleted from the repair copy"
        case (nil, .some(let copy)): return "Still there; a copy of it is at \(copy)"
        case (nil, nil):
            return file.action == .keep ? "Kept as it is" : "Still there. The recipe says: \(file.action.label)"
        }
    }
}

func code(_ text: String) -> HTML { HTML.element("code") { text } }

/// A time for people, and for machines in its attribute.
func time(_ rfc3339: String) -> HTML {
    HTML.element("time", .other("datetime", rfc3339)) { humanTime(rfc3339) }
}

func factList(_ facts: [(String, HTML)]) -> HTML {
    HTML.element("dl", .class("facts")) {
        for (name, value) in facts {
            HTML.element("div") {
                HTML.element("dt") { name }
                HTML.element("dd") { value }
            }
        }
    }
}
