"""What a worker learns of items: digests, media types, pictures, videos and members, and what they match."""
