import FoundationEssentials
import SalvorDigest
import SalvorSystem
import SystemPackage

/// Uploads a fixed VHD into a disk that waits for it: the ranges that hold something, 4 MiB at a time, several at once.
///
/// What is there already is not sent again: an upload that was cut goes on where it stood.
struct PageBlobUpload: Sendable {
    /// The most that one `Put Page` takes.
    static let pageBytes = 4 << 20
    private static let atOnce = 4
    private static let attempts = 5

    let file: FilePath
    /// Signed address of the blob. A secret: it is the right to write.
    let address: String
    let transport: any HTTPTransport
    let clock: AzureClock
    let progress: @Sendable (_ sent: Int64, _ of: Int64) -> Void

    /// - Throws: ``AzureError`` without the address.
    func run() async throws(AzureError) {
        let file = file
        let size = try await Self.blocking { try SparseReader(file).size }
        let ranges = try await Self.blocking { try SparseReader(file).ranges(step: Self.pageBytes) }
        let there = try await written()
        let left = ranges.filter { range in
            !there.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
        }
        let total = left.reduce(Int64(0)) { $0 + Int64($1.count) }
        let counter = UploadProgress(total: total, report: progress)
        guard size > 0 else {
            throw AzureError(
                .badSetting, "\(file) is empty.", nextStep: "Build the image again: salvor image build --format vhd.")
        }
        _ = try await left.concurrentMap(atMost: Self.atOnce) { (range) async throws(AzureError) -> Bool in
            let bytes = try await Self.blocking { try SparseReader(file).read(range) }
            // A file system without holes says that all of it is data; the blob is full of zeros already.
            if bytes.contains(where: { $0 != 0 }) { try await put(bytes, at: range) }
            counter.add(Int64(range.count))
            return true
        }
    }

    private func put(_ bytes: [UInt8], at range: Range<Int64>) async throws(AzureError) {
        var headers = [
            HTTPField("x-ms-version", "2020-10-02"), HTTPField("x-ms-page-write", "update"),
            HTTPField("x-ms-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"),
        ]
        // Finds accidents on the way; a system whose policy forbids MD5 does without.
        if let digest = MD5.digest(of: bytes) {
            headers.append(HTTPField("Content-MD5", Data(digest).base64EncodedString()))
        }
        let request = HTTPRequest("PUT", address + "&comp=page", headers: headers, body: bytes, timeout: .seconds(120))
        _ = try await send(request, expecting: 201)
    }

    /// The ranges that the blob holds already.
    private func written() async throws(AzureError) -> [Range<Int64>] {
        let answer = try await send(
            HTTPRequest("GET", address + "&comp=pagelist", headers: [HTTPField("x-ms-version", "2020-10-02")]),
            expecting: 200)
        return PageList.ranges(in: String(decoding: answer.body, as: UTF8.self))
    }

    private func send(_ request: HTTPRequest, expecting status: Int) async throws(AzureError) -> HTTPResponse {
        var attempt = 0
        while true {
            attempt += 1
            var wait = Duration.seconds(1 << attempt)
            do throws(AzureError) {
                let answer = try await transport.send(request)
                if answer.status == status { return answer }
                let error = refusal(answer)
                guard attempt < Self.attempts, answer.status == 429 || answer.status >= 500 else { throw error }
                wait = max(wait, answer.retryAfter ?? .zero)
            } catch {
                guard attempt < Self.attempts, [.unreachable, .timedOut].contains(error.code) else { throw error }
            }
            do { try await clock.sleep(wait) } catch {
                throw AzureError(
                    .cancelled, "The upload of \(file) was interrupted.",
                    nextStep: "Repeat it: it goes on where it stood.")
            }
        }
    }

    private func refusal(_ answer: HTTPResponse) -> AzureError {
        let code = answer[header: "x-ms-error-code"]
        return AzureError(
            answer.status == 403 ? .forbidden : .failed,
            "Azure Storage refused a part of \(file) with \(answer.status)\(code.map { ", \($0)" } ?? "").",
            nextStep: "Repeat the upload: it goes on where it stood.",
            refusal: AzureError.Refusal(
                status: answer.status, code: code, message: nil, requestID: answer[header: "x-ms-request-id"]))
    }

    private static func blocking<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws(AzureError) -> Value {
        do {
            return try await Blocking.run { () throws in try body() }
        } catch {
            throw AzureError(
                .badSetting, "The rescue image cannot be read.",
                nextStep: "Build it again: salvor image build --format vhd.",
                cause: error)
        }
    }
}
