"""The edge in: providers' languages to sealed envelopes on `intake.<source>.v1`, acknowledged only when durable."""
