internal import Foundation
internal import SalvorDigest
internal import SalvorJSON

/// Boot diagnostics in Azure's own storage: the serial log and a screenshot, at addresses that are signed for a while.
struct BootDiagnostics: Endpoint {
    /// Of a machine's files.
    private enum File: String, CaseIterable {
        case serialLog = "serialconsole.log"
        case screenshot = "screenshot.png"

        var contentType: String { self == .serialLog ? "text/plain" : "image/png" }
    }

    private static let prefix = "bootdiagnostics-"
    private static let minutes: ClosedRange<Int64> = 1...1440
    private static let standardMinutes: Int64 = 120

    // MARK: Addresses

    /// What `retrieveBootDiagnosticsData` answers.
    static func addresses(
        of record: Record, _ call: ResourceCall, in state: inout EmulatorState
    ) throws(ARMError) -> JSONValue {
        guard record.body[path: "properties.diagnosticsProfile.bootDiagnostics.enabled"]?.bool == true else {
            throw ARMError(
                409, "OperationNotAllowed",
                "Boot diagnostics data cannot be retrieved: boot diagnostics is not enabled on VM '\(record.id.name)'.")
        }
        var minutes = standardMinutes
        if let asked = call.query["sasuriexpirationtimeinminutes"] {
            guard let number = Int64(asked), self.minutes.contains(number) else {
                throw .invalidParameter(
                    "sasUriExpirationTimeInMinutes",
                    "The value '\(printable(asked))' of parameter sasUriExpirationTimeInMinutes is invalid: "
                        + "\(self.minutes.lowerBound) to \(self.minutes.upperBound) is expected.")
            }
            minutes = number
        }
        var record = record
        if record.hidden["diagnosticsKey"] == nil {
            record.hidden[path: "diagnosticsKey"] = .string(call.makeID() + call.makeID())
            state.put(record)
        }
        let expires = (call.now + .seconds(minutes * 60)).seconds
        func address(_ file: File) -> JSONValue {
            let machine = RealMachine.id(of: record)
            let signature =
                signature(of: record, file, expires)
                .addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            return .string(
                "\(call.surroundings.base)/\(prefix)\(machine)/\(record.id.name).\(machine).\(file.rawValue)"
                    + "?sv=2018-03-28&sr=b&sp=r&se=\(expires)&sig=\(signature)")
        }
        return [
            "consoleScreenshotBlobUri": address(.screenshot), "serialConsoleLogBlobUri": address(.serialLog),
        ]
    }

    private static func signature(of record: Record, _ file: File, _ expires: String) -> String {
        let text = "\(RealMachine.id(of: record))\n\(file.rawValue)\n\(expires)"
        let key = record.hidden["diagnosticsKey"]?.string ?? ""
        return Data(HMAC.sha256(of: Array(text.utf8), key: Array(key.utf8))).base64EncodedString()
    }

    // MARK: Files

    func answer(
        _ request: EmulatorRequest, _ segments: [String], _ now: EmulatorTime, _ emulator: Emulator
    ) async throws(ARMError) -> EmulatorResponse? {
        guard segments.count == 2, segments[0].hasPrefix(Self.prefix) else { return nil }
        let id = segments[0].dropFirst(Self.prefix.count)
        guard ["GET", "HEAD"].contains(request.method),
            let file = File.allCases.first(where: {
                segments[1].hasSuffix(".\(id).\($0.rawValue)")
            }), let record = emulator.machine(String(id)).flatMap({ emulator.record($0) }),
            record.hidden["diagnosticsKey"] != nil, let expires = request.query["se"], expires > now.seconds,
            HMAC.areEqual(
                Array((request.query["sig"] ?? "").utf8), Array(Self.signature(of: record, file, expires).utf8))
        else { return BlobError.forbidden.response }
        guard let bytes = try await Self.bytes(of: file, record, emulator) else { return BlobError.missing.response }
        return Self.response(bytes, file, request)
    }

    /// Storage's clients ask for a range, and take its size from the answer.
    private static func response(_ bytes: [UInt8], _ file: File, _ request: EmulatorRequest) -> EmulatorResponse {
        let headers = [
            ("Content-Type", file.contentType), ("x-ms-blob-type", "BlockBlob"), ("Accept-Ranges", "bytes"),
            ("x-ms-version", request.headers["x-ms-version"].map(printable) ?? "2018-03-28"),
        ]
        if request.method == "HEAD" {
            return EmulatorResponse(200, headers: headers + [("Content-Length", "\(bytes.count)")])
        }
        guard let text = request.headers["x-ms-range"] ?? request.headers["range"] else {
            return EmulatorResponse(200, headers: headers, body: bytes)
        }
        let halves = text.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard text.hasPrefix("bytes="), halves.count == 2, let start = Int(halves[0]), start >= 0,
            let last = halves[1].isEmpty ? Int.max - 1 : Int(halves[1]), last >= start
        else { return BlobError.badHeader.response }
        guard start < bytes.count else { return BlobError.beyond.response }
        let end = min(last, bytes.count - 1)
        return EmulatorResponse(
            206, headers: headers + [("Content-Range", "bytes \(start)-\(end)/\(bytes.count)")],
            body: Array(bytes[start...end]))
    }

    private static func bytes(
        of file: File, _ record: Record, _ emulator: Emulator
    ) async throws(ARMError) -> [UInt8]? {
        guard let hypervisor = emulator.equipment.hypervisor else {
            return file == .serialLog ? simulatedLog(of: record) : Base64.decode(simulatedScreen)
        }
        let id = RealMachine.id(of: record)
        return file == .serialLog ? await hypervisor.consoleLog(id) : try await hypervisor.screenshot(id)
    }

    // MARK: Simulated machines

    private static func simulatedLog(of record: Record) -> [UInt8] {
        let power = record.hidden["power"]?.string ?? "unknown"
        let text = "The machine \(record.id.name) is simulated: it has no console.\r\nPower state: \(power)\r\n"
        return Array(text.utf8)
    }

    /// A screen of 720 by 400 points, all of them black.
    private static let simulatedScreen =
        "iVBORw0KGgoAAAANSUhEUgAAAtAAAAGQAQAAAACvnGrAAAAAOklEQVR42u3BgQAAAADDoPlTX+AIVQEAAAAAAAAAAAAAAAAAAAAA"
        + "AAAAAAAAAAAAAAAAAAAAAAAA8AyOMAABa+qB2gAAAABJRU5ErkJggg=="
}
