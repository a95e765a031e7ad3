"""What every process needs: its paths, keys and settings, pages, safe logs; one door or one worker."""
