internal import SalvorDigest

extension Report {
    /// The columns of ``csv()``.
    package static let csvColumns = [
        "run", "log_verified", "row", "machine", "definition", "original_disk", "repaired_disk", "outcome", "message",
        "next_step", "boot", "boot_evidence", "volume", "path", "size_bytes", "sha256", "header", "created",
        "modified", "mft_changed", "accessed", "verdict", "reason", "action", "quarantined_at", "deleted_at",
    ]

    /// The report as CSV (RFC 4180, UTF-8): per machine one row `outcome`, followed by one row `file` for each finding.
    ///
    /// Every cell is ``printable(_:)``, so that each row is one line, and a cell that a spreadsheet would take for a formula
    /// begins with an apostrophe.
    package func csv() -> String {
        var rows = [Self.csvColumns]
        for machine in machines {
            rows.append(row("outcome", machine, outcomeCells(machine)))
            for file in machine.files { rows.append(row("file", machine, Self.fileCells(file))) }
        }
        return rows.map { $0.map(csvCell).joined(separator: ",") + "\r\n" }.joined()
    }

    private func row(_ kind: String, _ machine: MachineReport, _ cells: [String: String]) -> [String] {
        var cells = cells
        cells["run"] = run
        cells["log_verified"] = log.isSound ? "yes" : "no"
        cells["row"] = kind
        cells["machine"] = machine.name
        return Self.csvColumns.map { cells[$0] ?? "" }
    }

    private func outcomeCells(_ machine: MachineReport) -> [String: String] {
        [
            "definition": machine.definition ?? "",
            "original_disk": machine.disk?.identifier ?? "",
            "repaired_disk": machine.swap?.repaired.identifier ?? "",
            "outcome": machine.outcome?.kind.rawValue ?? "unfinished",
            "message": machine.outcome?.message ?? "",
            "next_step": machine.outcome?.nextStep ?? "",
            "boot": machine.bootProof?.verdict.rawValue ?? "",
            "boot_evidence": machine.bootProof?.evidence ?? "",
        ]
    }

    private static func fileCells(_ file: FileReport) -> [String: String] {
        [
            "volume": String(file.volumeNumber),
            "path": file.path.display,
            "size_bytes": String(file.sizeBytes),
            "sha256": file.sha256.hex,
            "header": spacedHexadecimal(file.header),
            "created": file.times.created.rfc3339,
            "modified": file.times.modified.rfc3339,
            "mft_changed": file.times.mftChanged.rfc3339,
            "accessed": file.times.accessed.rfc3339,
            "verdict": file.verdict.rawValue,
            "reason": file.reason,
            "action": file.action.rawValue,
            "quarantined_at": file.quarantinedAt ?? "",
            "deleted_at": file.deletedAt?.rfc3339 ?? "",
            "written_at": file.writtenAt?.rfc3339 ?? "",
            "result_sha256": file.resultSHA256?.hex ?? "",
        ]
    }
}

/// One cell of RFC 4180, with nothing in it that a spreadsheet would run.
func csvCell(_ text: String) -> String {
    var cell = printable(text)
    // Excel and LibreOffice take these for the beginning of a formula; the wide forms under some input methods.
    if let first = cell.unicodeScalars.first, "=+-@\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars.contains(first) {
        cell = "'" + cell
    }
    guard cell.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") }) else { return cell }
    // By scalar: a quotation mark with a combining mark is another Character, and still ends the cell.
    var quoted = String.UnicodeScalarView()
    quoted.append("\"")
    for scalar in cell.unicodeScalars {
        if scalar == "\"" { quoted.append(scalar) }
        quoted.append(scalar)
    }
    quoted.append("\"")
    return String(quoted)
}
