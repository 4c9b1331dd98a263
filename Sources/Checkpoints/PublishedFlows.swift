/// The published checkpoints of flow matching. No figure of them was read in a primary source.
extension CheckpointRegistry {
    static let flows: [PublishedCheckpoint] = [
        flow("flowse-vb-dmd", "VoiceBank-DEMAND", "1PgzFSAu2t3BX8znNuPKNZdvaOSEXeo88"),
        flow("flowse-wsj0-chime3", "WSJ0-CHiME3", "187kNPdJUSj6TjVfeBqyTqEE19tPiTJVE"),
    ]

    private static func flow(_ id: String, _ set: String, _ drive: String) -> PublishedCheckpoint {
        PublishedCheckpoint(
            id: id, summary: "FlowSE on \(set)",
            address: .drive(id: drive, folder: "the README of github.com/seongq/flowmse"), backbone: "ncsnpp", sde: "flow",
            sampleRate: 16000, sampler: "--N 5 --sampler ode_euler", reported: [])
    }
}
