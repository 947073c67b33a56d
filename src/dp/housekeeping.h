#ifndef DP_HOUSEKEEPING_H
#define DP_HOUSEKEEPING_H
/* What the SM-DP+ does unasked: once a minute, in bounded portions. */

struct dp;
struct dp_housekeeping;

struct dp_housekeeping *dp_housekeeping_start(struct dp *dp);
void dp_housekeeping_stop(struct dp_housekeeping *h);

#endif
