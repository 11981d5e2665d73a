internal import Logging
internal import SalvorMessages
internal import SalvorSystem
internal import SwiftProtobuf

/// How a repair ends, and what it says of that.
extension DiskRepair {
    /// How many go to quarantine.
    var fileCount: Int { repairs.reduce(0) { $0 + $1.taken.count } }

    func repaired() -> Salvor_V1_Outcome {
        .with {
            let kept = repairs.reduce(0) { $0 + $1.kept.count }
            let paths = { (files: [MatchedFile]) -> String in
                files.prefix(10).map { windowsPath($0.finding.path) }.joined(separator: ", ")
                    + (files.count > 10 ? ", …" : "")
            }
            var sentences: [String] = []
            if deleted > 0 {
                sentences.append(
                    "\(deleted) \(deleted == 1 ? "file was" : "files were") copied to quarantine and deleted: "
                        + "\(paths(repairs.flatMap(\.toGo))).")
            }
            if written > 0 {
                sentences.append(
                    "\(written) \(written == 1 ? "file was" : "files were") written: \(paths(repairs.flatMap(\.toWrite)))."
                )
            }
            sentences.append("\(kept) matched and kept.")
            sentences.append("A fresh read-only mount shows it so; the partition tables are as they were.")
            if repairs.contains(where: { $0.encryption != nil }) {
                sentences.append("The volume is encrypted as it was, with the same key protectors.")
            }
            $0.kind = .repaired
            $0.message = sentences.joined(separator: " ")
            $0.nextStep = "Fetch the quarantine, then use the disk."
            $0.diskChanged = true
        }
    }

    func collected() -> Salvor_V1_Outcome {
        .with {
            $0.kind = .collected
            $0.message = "\(fileCount) files were copied. Nothing was changed."
            $0.nextStep = "Fetch the quarantine."
        }
    }

    /// - Returns: what could not be unmounted.
    func unmountAll() async -> [String] {
        var leftovers: [String] = []
        for repair in repairs.reversed() {
            do throws(AgentError) {
                try await repair.mounted.unmount()
                try await repair.device.close()
            } catch {
                logger.error("unmount failed", metadata: ["device": "\(repair.volume.device)", "error": "\(error)"])
                leftovers.append(error.message)
            }
        }
        return leftovers
    }

    /// Copies of files that are all still on the disk would only be in the way of the next try.
    func dropUnusedQuarantine() async {
        guard !isFileChanged, let quarantine else { return }
        let store = store
        do throws(AgentError) {
            try await Blocking.run { () throws(AgentError) in try store.discard(quarantine.id) }
        } catch {
            logger.warning("unused quarantine left", metadata: ["id": "\(quarantine.id)", "error": "\(error)"])
        }
    }

    func leaving(_ leftovers: [String]) -> String {
        var text: [String] = []
        if isFileChanged {
            text.append(
                "\(deleted) files were deleted and \(written) written; what they were, \(fileCount) files, is in quarantine "
                    + "\(request.quarantineID).")
        } else if isDiskChanged {
            text.append("No file was changed; the volume was mounted read-write, which empties its log.")
        }
        text.append(leftovers.isEmpty ? "Nothing is mounted." : leftovers.joined(separator: " "))
        return text.joined(separator: " ")
    }
}
