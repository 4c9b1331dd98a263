// SpeechMetrics
